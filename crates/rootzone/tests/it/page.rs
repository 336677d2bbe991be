//! The page's files as a browser gets them.

use std::fs;

use tempfile::TempDir;

use crate::{
    broker::Broker,
    http::{get, request},
};

const DOCUMENT: &str = "<!doctype html><script type=\"module\">console.log(1)</script>";

/// A folder as Trunk and the build's compression leave it.
fn built_page() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in [
        ("index.html", DOCUMENT),
        ("index.html.br", "document in brotli"),
        ("dashboard-0123456789abcdef.js", "plain script"),
        ("dashboard-0123456789abcdef.js.br", "script in brotli"),
        ("dashboard-0123456789abcdef.js.gz", "script in gzip"),
        ("dashboard-0123456789abcdef_bg.wasm", "\0asm"),
        ("dashboard-0123456789abcdef_bg.wasm.gz", "wasm in gzip"),
        ("favicon.svg", "<svg/>"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn files_are_served_in_the_shortest_form_that_the_browser_takes() {
    let folder = built_page();
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    let script = "/dashboard-0123456789abcdef.js";
    let wasm = "/dashboard-0123456789abcdef_bg.wasm";
    for (path, accepted, encoding, body) in [
        (script, "gzip, deflate, br", "br", "script in brotli"),
        (script, "gzip", "gzip", "script in gzip"),
        (script, "identity", "", "plain script"),
        (wasm, "gzip, deflate, br", "gzip", "wasm in gzip"),
        (wasm, "", "", "\0asm"),
        ("/", "br", "br", "document in brotli"),
        ("/", "", "", DOCUMENT),
        ("/favicon.svg", "br", "", "<svg/>"),
    ] {
        let response = get(broker.http, path, &[("accept-encoding", accepted)]);
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(
            response.header("content-encoding"),
            encoding,
            "{path} {accepted}"
        );
        assert_eq!(response.header("vary"), "accept-encoding", "{path}");
        assert_eq!(response.body, body.as_bytes(), "{path} {accepted}");
    }
}

#[test]
fn types_and_cache_times_are_right() {
    let folder = built_page();
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    let for_ever = "public, max-age=31536000, immutable";
    for (path, content_type, cache_control) in [
        ("/", "text/html", "no-cache"),
        ("/index.html", "text/html", "no-cache"),
        (
            "/dashboard-0123456789abcdef.js",
            "text/javascript",
            for_ever,
        ),
        (
            "/dashboard-0123456789abcdef_bg.wasm",
            "application/wasm",
            for_ever,
        ),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
    ] {
        for accepted in ["br, gzip", "identity"] {
            let response = get(broker.http, path, &[("accept-encoding", accepted)]);
            assert_eq!(
                response.header("content-type"),
                content_type,
                "{path} {accepted}"
            );
            assert_eq!(response.header("cache-control"), cache_control, "{path}");
        }
    }
}

#[test]
fn routes_get_the_document_and_missing_files_do_not() {
    let folder = built_page();
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    for path in [
        "/probe/bed-1",
        "/pumps",
        "/probe/z/bed.1",
        "/probe/z/bed.json",
        "/pumps?zone=a",
    ] {
        let response = get(broker.http, path, &[]);
        assert_eq!(
            (response.status, &*response.body),
            (200, DOCUMENT.as_bytes()),
            "{path}"
        );
    }
    for path in [
        "/missing.js",
        "/style/missing.css",
        "/../Cargo.toml.js",
        "/%2e%2e/secret.txt",
    ] {
        assert_eq!(get(broker.http, path, &[]).status, 404, "{path}");
    }
    assert_eq!(request("POST", broker.http, "/", &[]).status, 405);
    let head = request("HEAD", broker.http, "/", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn a_page_that_has_not_changed_is_not_sent_again() {
    let folder = built_page();
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    let first = get(broker.http, "/", &[]);
    let since = first.header("last-modified");
    let second = get(broker.http, "/", &[("if-modified-since", since)]);
    assert_eq!((second.status, second.body.len()), (304, 0));
}

#[test]
fn the_browser_is_told_what_the_page_may_do() {
    let folder = built_page();
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    let response = get(broker.http, "/pumps", &[]);
    let policy = response.header("content-security-policy");
    assert!(policy.contains("connect-src 'self' ws: wss:"), "{policy}");
    assert!(policy.contains("'wasm-unsafe-eval' 'sha256-"), "{policy}");
    assert!(!policy.contains("script-src 'unsafe-inline'"), "{policy}");
    for path in ["/", "/favicon.svg", "/missing.js", "/healthz"] {
        let response = get(broker.http, path, &[]);
        assert_eq!(
            response.header("x-content-type-options"),
            "nosniff",
            "{path}"
        );
        assert_eq!(response.header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[test]
fn health_is_told_in_a_word() {
    let broker = Broker::start();
    let response = get(broker.http, "/healthz", &[]);
    assert_eq!((response.status, &*response.body), (200, &b"ok\n"[..]));
}

#[test]
fn without_its_document_the_page_says_how_to_build_it_and_then_appears() {
    let folder = built_page();
    let document = folder.path().join("index.html");
    let broker = Broker::start_with(&["--page".as_ref(), folder.path()]);
    fs::remove_file(&document).unwrap();
    let response = get(broker.http, "/", &[]);
    assert_eq!(response.status, 503);
    assert!(String::from_utf8_lossy(&response.body).contains("cargo xtask demo"));
    fs::write(&document, DOCUMENT).unwrap();
    assert_eq!(get(broker.http, "/", &[]).status, 200);
}
