//! The dashboard's files: from a folder, or in the binary.

#[cfg(feature = "embed-page")]
mod embedded;
mod folder;
mod path;

use std::path::Path;

use axum::{
    extract::Request,
    http::{
        HeaderValue, Method, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY},
    },
    response::{Html, IntoResponse, Response},
};

use self::{folder::Folder, path::Kind};
use crate::security_headers::content_security_policy;

/// Where the page comes from.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    Folder(Folder),
    #[cfg(feature = "embed-page")]
    Embedded,
}

impl Page {
    /// The folder that a person named, else the page in the binary, else the usual folder, built or not.
    ///
    /// # Errors
    ///
    /// A named folder that cannot be read or is no page.
    pub(crate) fn choose(named: Option<&Path>) -> anyhow::Result<Self> {
        match named {
            Some(path) => Folder::named(path).map(Self::Folder),
            #[cfg(feature = "embed-page")]
            None if embedded::document().is_some() => Ok(Self::Embedded),
            None => Ok(Self::Folder(Folder::usual())),
        }
    }

    /// Answers a request for anything that nothing else answers.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
        }
        let kind = Kind::of(request.uri().path());
        let mut response = match kind {
            Kind::Route => return self.answer_with_document(request).await,
            Kind::HashedFile | Kind::File => match self {
                Self::Folder(folder) => folder.file(request).await,
                #[cfg(feature = "embed-page")]
                Self::Embedded => embedded::file(request.uri().path(), request.headers()),
            },
        };
        if response.status() == StatusCode::NOT_FOUND {
            return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
        }
        add_cache_headers(&mut response, kind);
        response
    }

    /// Every route of the dashboard is the same document; the page looks at the address itself.
    async fn answer_with_document(&self, request: Request) -> Response {
        let document = match self {
            Self::Folder(folder) => folder.document().await,
            #[cfg(feature = "embed-page")]
            Self::Embedded => embedded::document(),
        };
        let Some(document) = document else {
            return not_built();
        };
        let mut response = match self {
            Self::Folder(folder) => folder.document_file(request).await,
            #[cfg(feature = "embed-page")]
            Self::Embedded => embedded::document_file(request.headers()),
        };
        add_cache_headers(&mut response, Kind::Route);
        response.headers_mut().insert(
            CONTENT_SECURITY_POLICY,
            content_security_policy(&String::from_utf8_lossy(&document)),
        );
        response
    }
}

fn add_cache_headers(response: &mut Response, kind: Kind) {
    let cache_control = match kind {
        Kind::HashedFile => "public, max-age=31536000, immutable",
        Kind::Route | Kind::File => "no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
}

/// Says how to build the page.
///
/// 503 and not 200: the page that was asked for is not there yet, and a script or a monitor must be able to tell.
fn not_built() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(CACHE_CONTROL, "no-store")],
        Html(include_str!("page/not_built.html")),
    )
        .into_response()
}
