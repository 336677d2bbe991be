//! The limit of open files: each connection is one.

/// Raises this process's limit to the highest that it may have.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let mut raised = limit;
    raised.current = raised.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, limit = ?limit.current, "cannot raise the limit of open files");
    }
}

/// There is none here.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
