//! What most benchmarks can be told.

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

#[derive(Default)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) json: Option<PathBuf>,
    /// Only scenarios whose names have these whole words: `idle` for `idle-tcp` and `idle-ws`.
    pub(super) only: Option<String>,
}

impl Options {
    /// Of a benchmark whose scenarios belong together.
    pub(super) fn parse(arguments: Parser) -> Result<Self> {
        Self::parse_with(arguments, false, &mut |_, _| Ok(false))
    }

    /// Of a benchmark whose scenarios can be chosen.
    pub(super) fn parse_with_only(arguments: Parser) -> Result<Self> {
        Self::parse_with_more(arguments, &mut |_, _| Ok(false))
    }

    /// The same of one that knows further options: `more` says whether this is one of them.
    pub(super) fn parse_with_more(
        arguments: Parser,
        more: &mut dyn FnMut(&str, &mut Parser) -> Result<bool>,
    ) -> Result<Self> {
        Self::parse_with(arguments, true, more)
    }

    fn parse_with(
        mut arguments: Parser,
        takes_only: bool,
        more: &mut dyn FnMut(&str, &mut Parser) -> Result<bool>,
    ) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            let name = match argument {
                Arg::Long(name) => name.to_owned(),
                Arg::Short(_) | Arg::Value(_) => return Err(argument.unexpected().into()),
            };
            match &*name {
                "quick" => options.quick = true,
                "json" => {
                    // Relative to where we were started, not to where we work.
                    options.json = Some(std::path::absolute(arguments.value()?)?);
                }
                "only" if takes_only => options.only = Some(arguments.value()?.string()?),
                name if more(name, &mut arguments)? => {}
                name => return Err(Arg::Long(name).unexpected().into()),
            }
        }
        Ok(options)
    }

    /// Whether a scenario of this name is chosen.
    pub(super) fn wants(&self, scenario: &str) -> bool {
        let words = |name: &str| format!("-{name}-");
        let is_chosen = |only: &String| words(scenario).contains(&words(only));
        self.only.as_ref().is_none_or(is_chosen)
    }

    /// Those of all that are chosen; to choose none is a mistake.
    pub(super) fn choose<'a, T>(
        &self,
        all: &'a [T],
        name: impl Fn(&T) -> &str,
    ) -> Result<Vec<&'a T>> {
        let chosen: Vec<&T> = all.iter().filter(|one| self.wants(name(one))).collect();
        if chosen.is_empty() {
            let names: Vec<_> = all.iter().map(name).collect();
            bail!("--only: there are {}", names.join(", "));
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_chosen_by_whole_words() {
        let arguments = Parser::from_args(["--only", "year-100"]);
        let options = Options::parse_with_only(arguments).unwrap();
        let all = ["sydney", "year-1000-probes", "year-100-probes-1min"];
        let chosen = options.choose(&all, |name| name).unwrap();
        assert_eq!(chosen, [&"year-100-probes-1min"]);
        let options = Options::parse_with_only(Parser::from_args(["--only", "year-10"])).unwrap();
        assert!(options.choose(&all, |name| name).is_err());
    }
}
