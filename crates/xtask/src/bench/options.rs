//! What most benchmarks can be told.

use std::path::PathBuf;

use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

#[derive(Default)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) json: Option<PathBuf>,
    /// Only scenarios whose names contain this.
    pub(super) only: Option<String>,
}

impl Options {
    /// Of a benchmark whose scenarios belong together.
    pub(super) fn parse(arguments: Parser) -> Result<Self> {
        Self::parse_with(arguments, false)
    }

    /// Of a benchmark whose scenarios can be chosen.
    pub(super) fn parse_with_only(arguments: Parser) -> Result<Self> {
        Self::parse_with(arguments, true)
    }

    fn parse_with(mut arguments: Parser, takes_only: bool) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("quick") => options.quick = true,
                Arg::Long("json") => {
                    // Relative to where we were started, not to where we work.
                    options.json = Some(std::path::absolute(arguments.value()?)?);
                }
                Arg::Long("only") if takes_only => {
                    options.only = Some(arguments.value()?.string()?);
                }
                Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                    return Err(argument.unexpected().into());
                }
            }
        }
        Ok(options)
    }

    pub(super) fn wants(&self, scenario: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|part| scenario.contains(part.as_str()))
    }
}
