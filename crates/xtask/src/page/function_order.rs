//! The Wasm's functions in an order that compresses well: each after the one that it is most like.
//!
//! gzip looks back no further than 32 KB, a tenth of the page's code.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, FunctionBody, FunctionSectionReader, Parser, Payload, TypeRef,
};

/// Rewrites a file of Wasm. What it does stays the same.
pub(crate) fn improve(file: &Path) -> Result<()> {
    let wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let reordered = reorder(&wasm).context("the Wasm cannot be put in another order")?;
    fs::write(file, reordered)?;
    Ok(())
}

fn reorder(wasm: &[u8]) -> Result<Vec<u8>> {
    let (n_imported, bodies) = functions(wasm)?;
    let order = by_likeness(&bodies);
    let mut new_place = vec![0; order.len()];
    for (place, &function) in order.iter().enumerate() {
        new_place[function] = place as u32;
    }
    let mut module = Module::new();
    Reordering {
        n_imported,
        order,
        new_place,
    }
    .parse_core_module(&mut module, Parser::new(0), wasm)?;
    Ok(module.finish())
}

/// How many functions are imported, and the bodies of all others.
fn functions(wasm: &[u8]) -> Result<(u32, Vec<&[u8]>)> {
    let (mut n_imported, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::ImportSection(imports) = payload {
            for import in imports.into_imports() {
                n_imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
            }
        } else if let Payload::CodeSectionEntry(body) = payload {
            bodies.push(body.as_bytes());
        }
    }
    if bodies.is_empty() {
        bail!("it has no functions");
    }
    Ok((n_imported, bodies))
}

/// From the largest function to the one left that has most in common with it, and so on.
fn by_likeness(bodies: &[&[u8]]) -> Vec<usize> {
    let shingles: Vec<Vec<&[u8]>> = bodies.iter().map(|body| shingles(body)).collect();
    let mut owners_of: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (function, shingles) in shingles.iter().enumerate() {
        for shingle in shingles {
            owners_of.entry(shingle).or_default().push(function);
        }
    }
    let mut is_left = vec![true; bodies.len()];
    let mut order: Vec<usize> = Vec::new();
    while order.len() < bodies.len() {
        let mut n_common = vec![0; bodies.len()];
        let last = order.last().map(|&last| &shingles[last]);
        let owners = last
            .into_iter()
            .flatten()
            .map(|shingle| &owners_of[shingle]);
        // What half of them have says nothing of likeness.
        for owners in owners.filter(|owners| owners.len() < OWNERS_MAX) {
            for &owner in owners {
                n_common[owner] += 1;
            }
        }
        let n_last = last.map_or(0, Vec::len);
        let likeness = |function: usize| {
            let common = n_common[function];
            let all = n_last + shingles[function].len() - common;
            (common << 32) / all.max(1)
        };
        let next = (0..bodies.len())
            .filter(|&function| is_left[function])
            .max_by_key(|&function| {
                (
                    likeness(function),
                    bodies[function].len(),
                    Reverse(function),
                )
            })
            .expect("the order is not complete");
        is_left[next] = false;
        order.push(next);
    }
    order
}

/// What a function is made of: each of its sequences of a few bytes, once.
fn shingles(body: &[u8]) -> Vec<&[u8]> {
    let mut shingles: Vec<&[u8]> = body.windows(SHINGLE_LEN).collect();
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

struct Reordering {
    n_imported: u32,
    /// Which function comes at each place.
    order: Vec<usize>,
    /// The place of each function.
    new_place: Vec<u32>,
}

impl Reencode for Reordering {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        let own = function.checked_sub(self.n_imported);
        Ok(own.map_or(function, |own| {
            self.n_imported + self.new_place[own as usize]
        }))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for &function in &self.order {
            functions.function(types[function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        let bodies = section
            .into_iter()
            .collect::<Result<Vec<FunctionBody<'_>>, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }
}

const SHINGLE_LEN: usize = 4;
const OWNERS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use wasm_encoder::{ExportKind, ExportSection, Function, TypeSection, ValType};
    use wasmparser::Operator;

    use super::*;

    /// A function that takes each number and drops it again.
    fn body(numbers: impl IntoIterator<Item = i32>) -> Function {
        let mut function = Function::new([]);
        for number in numbers {
            function.instructions().i32_const(number).drop();
        }
        function
    }

    fn module(bodies: &[Function]) -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        let mut functions = FunctionSection::new();
        let mut exports = ExportSection::new();
        let mut code = CodeSection::new();
        for (index, body) in bodies.iter().enumerate() {
            let index = index as u32;
            // So that it shows which function has which type.
            types.ty().function(vec![ValType::I32; index as usize], []);
            functions.function(index);
            exports.export(&format!("f{index}"), ExportKind::Func, index);
            let mut body = body.clone();
            body.instructions().call(index).end();
            code.function(&body);
        }
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    #[test]
    fn a_function_stands_after_the_one_that_it_is_most_like() {
        let bodies = [
            body(1_000..1_100),
            body(5_000..5_080),
            body(1_040..1_099),
            body(5_000..5_070),
        ];
        let wasm = module(&bodies);
        let (_, bodies) = functions(&wasm).unwrap();
        assert_eq!(by_likeness(&bodies), [0, 2, 1, 3]);
    }

    #[test]
    fn types_exports_and_calls_follow_their_functions() {
        let bodies = [body(7..8), body(5_000..5_080), body(1_000..1_200)];
        let wasm = reorder(&module(&bodies)).unwrap();
        let [mut types, mut exports, mut calls] = [const { Vec::new() }; 3];
        for payload in Parser::new(0).parse_all(&wasm) {
            let payload = payload.unwrap();
            if let Payload::FunctionSection(section) = payload {
                types.extend(section.into_iter().map(Result::unwrap));
            } else if let Payload::ExportSection(section) = payload {
                exports.extend(section.into_iter().map(|export| export.unwrap().index));
            } else if let Payload::CodeSectionEntry(body) = payload {
                for operator in body.get_operators_reader().unwrap() {
                    if let Operator::Call { function_index } = operator.unwrap() {
                        calls.push(function_index);
                    }
                }
            }
        }
        // The largest is the first, and each calls itself.
        assert_eq!(types, [2, 1, 0]);
        assert_eq!(exports, [2, 1, 0]);
        assert_eq!(calls, [0, 1, 2]);
    }

    #[test]
    fn what_is_no_wasm_is_refused() {
        assert!(reorder(b"\0asm").is_err());
    }
}
