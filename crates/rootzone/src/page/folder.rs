//! The page's files in a folder, read anew for each request so that a page built later appears by itself.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{anyhow, bail};
use axum::{
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tower_http::services::{ServeDir, ServeFile};

/// A folder with a page, or where one will be.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder that a person asked for, which must be a page.
    pub(super) fn named(path: &Path) -> anyhow::Result<Self> {
        let unreadable = |path: &Path, error: io::Error| {
            anyhow!(
                "cannot read the page at {}: {error}; choose another folder with --page, or leave it out",
                path.display()
            )
        };
        fs::read_dir(path).map_err(|error| unreadable(path, error))?;
        let document = path.join(DOCUMENT);
        if !document.exists() {
            bail!(
                "the page's folder {} has no {DOCUMENT}: build the page first, or leave --page out",
                path.display()
            );
        }
        fs::read(&document).map_err(|error| unreadable(&document, error))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// `dist` of the workspace in which this program was built, else beside the program.
    pub(super) fn usual() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let beside_program = env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.join(FOLDER)))
            .filter(|path| path.is_dir());
        let path = match beside_program {
            Some(path) if !workspace.is_dir() => path,
            _ => workspace.join(FOLDER),
        };
        Self { path }
    }

    /// The document's text; `None` if the page is not built.
    pub(super) async fn document(&self) -> Option<Vec<u8>> {
        tokio::fs::read(self.path.join(DOCUMENT)).await.ok()
    }

    /// The document, in the shortest form that the browser takes.
    pub(super) async fn document_file(&self, request: Request) -> Response {
        let outcome = ServeFile::new(self.path.join(DOCUMENT))
            .precompressed_br()
            .precompressed_gzip()
            .try_call(request)
            .await;
        match outcome {
            Ok(response) => response.map(Body::new),
            Err(error) => failed(&error),
        }
    }

    /// Any other file, in the shortest form that the browser takes.
    pub(super) async fn file(&self, request: Request) -> Response {
        let outcome = ServeDir::new(&self.path)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip()
            .try_call(request)
            .await;
        match outcome {
            Ok(response) => response.map(Body::new),
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &io::Error) -> Response {
    tracing::warn!(%error, "cannot read a file of the page");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "the file cannot be read\n",
    )
        .into_response()
}

const FOLDER: &str = "dist";
const DOCUMENT: &str = "index.html";
