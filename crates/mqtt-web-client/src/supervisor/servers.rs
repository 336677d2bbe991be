//! Where to connect.

/// The Server's address, and that of another one that it sent us to.
#[derive(Debug)]
pub(super) struct Servers {
    home: String,
    /// For the next attempt and the connection that comes of it, and whether it is to be the home then.
    away: Option<(String, bool)>,
}

impl Servers {
    pub(super) fn new(url: &str) -> Self {
        Self {
            home: url.to_owned(),
            away: None,
        }
    }

    pub(super) fn url(&self) -> &str {
        self.away.as_ref().map_or(&self.home, |(url, _)| url)
    }

    /// The address in a Server Reference, if one may follow it there.
    pub(super) fn allowed(&self, server_reference: &str) -> Option<String> {
        let url = server_reference.split(' ').next()?;
        let is_secure = url.starts_with(SECURE);
        let is_as_insecure = url.starts_with(INSECURE) && self.url().starts_with(INSECURE);
        (is_secure || is_as_insecure).then(|| url.to_owned())
    }

    pub(super) fn go(&mut self, url: String, is_for_good: bool) {
        self.away = Some((url, is_for_good));
    }

    /// Takes note that the Server there has accepted the connection.
    pub(super) fn arrive(&mut self) {
        if let Some((url, true)) = &self.away {
            self.home.clone_from(url);
        }
    }

    /// Takes note that the attempt or the connection ended; says whether it was away.
    pub(super) fn return_home(&mut self) -> bool {
        self.away.take().is_some()
    }
}

const SECURE: &str = "wss://";
const INSECURE: &str = "ws://";
