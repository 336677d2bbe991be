//! What the page's Wasm and its JavaScript call each other by: only what is used, and by short names.
//!
//! wasm-bindgen makes the names unique by hashes, which no compression makes smaller, and exports the classes
//! of every library in the page whether or not anyone makes one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process::{command, read, run};
use crate::wasm_opt;

/// Rewrites the JavaScript that wasm-bindgen made, and the Wasm that it loads.
///
/// Only what is named in `exports` can be imported from it, as in `{ default, Name }`.
pub(crate) fn shrink(script: &Path, wasm: &Path, exports: &str) -> Result<()> {
    let bundle = bundle(script, exports)?;
    // Only what it says is wanted here.
    let scratch = wasm.with_extension("scratch");
    let long_names = Names::shorten(wasm, &scratch)?;
    fs::remove_file(&scratch)?;
    let unused = long_names.unused_in(&bundle)?;
    run(wasm_opt::command(wasm, wasm)?
        .arg(format!("--remove-exports={}", unused.join(",")))
        .args(wasm_opt::OPTIMIZING))?;
    let names = Names::shorten(wasm, wasm)?;
    fs::write(script, names.put_into(&bundle))?;
    minify(script)
}

/// The script with only what the page's start needs, everything still under its own name.
fn bundle(script: &Path, exports: &str) -> Result<String> {
    let source =
        fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    // Neither does anything by itself, but esbuild can't know.
    let source = source.replace(
        "new FinalizationRegistry",
        "/* @__PURE__ */ new FinalizationRegistry",
    );
    fs::write(script, source)?;
    let file = script
        .file_name()
        .and_then(OsStr::to_str)
        .context("the script has no name")?;
    let start = script.with_extension("start.js");
    fs::write(&start, format!("export {exports} from './{file}';\n"))?;
    let bundle = read(
        command("esbuild")?
            .arg(&start)
            .args(["--bundle", "--minify-syntax", "--format=esm"])
            .arg("--log-level=warning")
            .arg("--define:Symbol.dispose=undefined"),
    );
    fs::remove_file(&start)?;
    bundle
}

fn minify(script: &Path) -> Result<()> {
    let minified = read(command("esbuild")?.arg(script).args([
        "--minify",
        "--format=esm",
        "--log-level=warning",
    ]))?;
    fs::write(script, minified)?;
    Ok(())
}

/// The short names by the long ones.
struct Names {
    /// Where the Wasm imports everything from.
    module: String,
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

impl Names {
    /// Gives everything that the Wasm imports and exports a short name.
    fn shorten(wasm: &Path, output: &Path) -> Result<Self> {
        let said =
            read(wasm_opt::command(wasm, output)?.arg("--minify-imports-and-exports-and-modules"))?;
        Self::parse(&said).context("wasm-opt said something else than names")
    }

    fn parse(said: &str) -> Result<Self> {
        let said: Value = serde_json::from_str(said)?;
        let mut modules = BTreeSet::new();
        let mut imports = BTreeMap::new();
        for import in rows(&said, "imports")? {
            let [module, long, short] = import.as_slice() else {
                bail!("an import has a module and two names");
            };
            modules.insert(*module);
            imports.insert((*long).to_owned(), (*short).to_owned());
        }
        let mut exports = BTreeMap::new();
        for export in rows(&said, "exports")? {
            let [long, short] = export.as_slice() else {
                bail!("an export has two names");
            };
            exports.insert((*long).to_owned(), (*short).to_owned());
        }
        ensure!(modules.len() == 1, "there is more than one module");
        Ok(Self {
            module: modules.into_iter().collect(),
            imports,
            exports,
        })
    }

    /// The exports that a script does not use.
    fn unused_in<'a>(&'a self, script: &str) -> Result<Vec<&'a str>> {
        let used: BTreeSet<_> = pieces(script)
            .filter(|piece| piece.role == Role::Export)
            .map(|piece| piece.text)
            .collect();
        ensure!(!used.is_empty(), "the script uses nothing of the Wasm");
        let exports = self.exports.keys().map(String::as_str);
        Ok(exports.filter(|name| !used.contains(name)).collect())
    }

    fn put_into(&self, script: &str) -> String {
        pieces(script)
            .map(|piece| {
                let short = match piece.role {
                    Role::Export => self.exports.get(piece.text),
                    Role::Key => self.imports.get(piece.text),
                    Role::Other => None,
                };
                short.map_or(piece.text, String::as_str)
            })
            .collect::<String>()
            .replace(
                &format!("\"{}\"", self.module),
                &format!("\"{SHORT_MODULE}\""),
            )
    }
}

/// The lists of strings under a key.
fn rows<'a>(said: &'a Value, key: &str) -> Result<Vec<Vec<&'a str>>> {
    let rows = said[key].as_array().context("a list is missing")?;
    let strings =
        |row: &'a Value| -> Option<Vec<_>> { row.as_array()?.iter().map(Value::as_str).collect() };
    rows.iter()
        .map(|row| strings(row).context("a row is no list of strings"))
        .collect()
}

/// A name in a script, or what stands between two names.
struct Piece<'a> {
    text: &'a str,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `name` in `wasm.name`.
    Export,
    /// `name` in `name: …`.
    Key,
    Other,
}

/// A script in pieces that make the whole script when they are put together.
fn pieces(script: &str) -> impl Iterator<Item = Piece<'_>> {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &script[at..];
        let is_name = rest.starts_with(is_of_name);
        rest.chars().next()?;
        let length = rest
            .find(|c| is_of_name(c) != is_name)
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(length);
        let before = &script[..at];
        let role = match is_name {
            true if before.ends_with(EXPORTS) => Role::Export,
            true if after.starts_with(':') => Role::Key,
            _ => Role::Other,
        };
        at += length;
        Some(Piece { text, role })
    })
}

/// How wasm-bindgen's scripts reach what the Wasm exports.
const EXPORTS: &str = "wasm.";
/// What wasm-opt calls the module of all imports.
const SHORT_MODULE: &str = "a";

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{
        "imports": [["./page_bg.js", "__wbg_close_5ee9", "a"]],
        "exports": [["memory", "b"], ["intounderlyingsink_close", "c"]]
    }"#;

    #[test]
    fn names_are_put_where_the_wasm_is_meant_and_nowhere_else() {
        let script =
            r#"({ "./page_bg.js": { __wbg_close_5ee9: (e) => e.memory } }); f(wasm.memory);"#;
        assert_eq!(
            Names::parse(SAID).unwrap().put_into(script),
            r#"({ "a": { a: (e) => e.memory } }); f(wasm.b);"#
        );
    }

    #[test]
    fn an_export_that_the_script_leaves_alone_is_unused() {
        let names = Names::parse(SAID).unwrap();
        assert_eq!(
            names.unused_in("f(wasm.memory)").unwrap(),
            ["intounderlyingsink_close"]
        );
    }

    #[test]
    fn a_script_without_the_wasm_is_not_understood() {
        assert!(
            Names::parse(SAID)
                .unwrap()
                .unused_in("f(w.memory)")
                .is_err()
        );
    }
}
