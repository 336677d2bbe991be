//! gzip and brotli at their hardest, once, when the page is built.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use zopfli::{Format, Options};

/// Writes `.gz` and `.br` beside every file of a folder that gains by it.
pub(crate) fn compress_folder(folder: &Path) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            compress_folder(&path)?;
        } else if is_compressible(&path) {
            compress_file(&path).with_context(|| format!("cannot compress {}", path.display()))?;
        }
    }
    Ok(())
}

/// `style.css` → `style.css.gz`, the name under which the compressed form is kept.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn is_compressible(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| COMPRESSIBLE.contains(&extension))
}

fn compress_file(path: &Path) -> Result<()> {
    let raw = fs::read(path)?;
    fs::write(with_suffix(path, GZIP), gzip(&raw)?)?;
    fs::write(with_suffix(path, BROTLI), brotli(&raw)?)?;
    Ok(())
}

fn gzip(raw: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let options = Options {
        maximum_block_splits: GZIP_BLOCK_SPLITS_MAX,
        ..Options::default()
    };
    zopfli::compress(options, Format::Gzip, raw, &mut compressed)?;
    Ok(compressed)
}

fn brotli(mut raw: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = BrotliEncoderParams {
        quality: 11,
        size_hint: raw.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut raw, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// For the Wasm, which is longer than what zopfli has in mind: more are slow and save nothing.
const GZIP_BLOCK_SPLITS_MAX: u16 = 40;

pub(crate) const GZIP: &str = ".gz";
pub(crate) const BROTLI: &str = ".br";
const COMPRESSIBLE: [&str; 8] = [
    "css",
    "html",
    "ico",
    "js",
    "json",
    "svg",
    "wasm",
    "webmanifest",
];

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_forms_hold_what_was_put_in() {
        let text = "moisture 37.2 ".repeat(200);

        let mut unzipped = String::new();
        let gzipped = gzip(text.as_bytes()).unwrap();
        flate2::read::GzDecoder::new(gzipped.as_slice())
            .read_to_string(&mut unzipped)
            .unwrap();
        assert_eq!(unzipped, text);

        let mut unpacked = String::new();
        let packed = brotli(text.as_bytes()).unwrap();
        brotli::Decompressor::new(packed.as_slice(), 4096)
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
        assert!(packed.len() < text.len() / 10);
    }

    #[test]
    fn pictures_that_are_compressed_already_are_left_alone() {
        assert!(is_compressible(Path::new("dist/dashboard_bg.wasm")));
        assert!(!is_compressible(Path::new("dist/icon.png")));
        assert!(!is_compressible(Path::new("dist/style.css.gz")));
    }
}
