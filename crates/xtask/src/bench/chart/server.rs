//! A server of a folder's files for one page, which tells it what it found.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::is_interrupted;

/// Serves a folder for as long as we run.
pub(super) struct Server {
    port: u16,
    reports: Receiver<Report>,
}

/// What the page tells.
pub(super) enum Report {
    Figures(Vec<Value>),
    Failure(Value),
    End,
}

impl Server {
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let (sender, reports) = channel();
        let folder = folder.to_path_buf();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, sender) = (folder.clone(), sender.clone());
                // A browser that goes away in the middle is no fault of the page's.
                thread::spawn(move || answer(stream, &folder, &sender));
            }
        });
        Ok(Self { port, reports })
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(super) fn next_report(&self) -> Result<Report> {
        for _ in 0..REPORT_SECS_MAX {
            if is_interrupted() {
                bail!("interrupted");
            }
            match self.reports.recv_timeout(Duration::from_secs(1)) {
                Ok(report) => return Ok(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the server has ended"),
            }
        }
        bail!("the page has said nothing for {REPORT_SECS_MAX} s")
    }
}

fn answer(mut stream: TcpStream, folder: &Path, reports: &Sender<Report>) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut words = request.split(' ');
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = path.trim_start_matches('/');
    let (status, kind, body) = if method == "POST" {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body)?;
        reports.send(match path {
            "figures" => Report::Figures(body.as_array().cloned().unwrap_or_default()),
            "failure" => Report::Failure(body),
            _ => Report::End,
        })?;
        ("204 No Content", "text/plain", Vec::new())
    } else {
        file(folder, path)
    };
    // Isolated from other origins, a page is given a finer clock.
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n\
         Connection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body).context("the browser has gone")
}

fn file(folder: &Path, path: &str) -> (&'static str, &'static str, Vec<u8>) {
    let path = PathBuf::from(if path.is_empty() { "index.html" } else { path });
    // Only what lies in the folder itself.
    let read = path
        .file_name()
        .and_then(|name| fs::read(folder.join(name)).ok());
    let Some(body) = read else {
        return ("404 Not Found", "text/plain", Vec::new());
    };
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        _ => "application/json",
    };
    ("200 OK", kind, body)
}

const REPORT_SECS_MAX: u32 = 600;
