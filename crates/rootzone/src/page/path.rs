//! What a path asks for.

/// What kind of thing a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A place inside the dashboard.
    Route,
    /// A file whose name changes with its content.
    HashedFile,
    /// Any other file.
    File,
}

impl Kind {
    pub(super) fn of(path: &str) -> Self {
        // What follows is a device's name, which may end like a file's.
        if path.starts_with(PROBE) {
            return Self::Route;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        // Other routes may have a dot too, so only the endings of files that a page has count.
        let is_file = name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| FILE_ENDINGS.contains(&ending));
        if !is_file || name == "index.html" {
            Self::Route
        } else if is_hashed(name) {
            Self::HashedFile
        } else {
            Self::File
        }
    }
}

/// Trunk puts 16 hexadecimal digits after the first part of a name: `dashboard-0123456789abcdef_bg.wasm`.
fn is_hashed(name: &str) -> bool {
    name.split(['-', '_', '.'])
        .skip(1)
        .any(|part| part.len() == HASH_LENGTH && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Where the dashboard has a place for each probe, and the page no files.
const PROBE: &str = "/probe/";
const HASH_LENGTH: usize = 16;
const FILE_ENDINGS: &[&str] = &[
    "avif",
    "br",
    "css",
    "csv",
    "gif",
    "gz",
    "html",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "json",
    "map",
    "mjs",
    "png",
    "svg",
    "ttf",
    "txt",
    "wasm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        for (path, kind) in [
            ("/", Kind::Route),
            ("/index.html", Kind::Route),
            ("/probe/bed-1", Kind::Route),
            ("/probe/bed.1", Kind::Route),
            ("/probe/z/bed.json", Kind::Route),
            ("/probe/z/dashboard-0123456789abcdef.js", Kind::Route),
            ("/pumps.1", Kind::Route),
            ("/probe.json", Kind::File),
            ("/favicon.svg", Kind::File),
            ("/missing.js", Kind::File),
            ("/dashboard-0123456789abcdef.js", Kind::HashedFile),
            ("/dashboard-0123456789abcdef_bg.wasm", Kind::HashedFile),
            ("/style/tokens-fedcba9876543210.css", Kind::HashedFile),
            ("/probe-0123456789abcde.css", Kind::File),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
