//! Headless Chromium, driven through chromedriver.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Process, eventually, path_by};

/// A browser with one window, gone with the test.
pub(crate) struct Browser {
    pub(crate) client: Client,
    session: String,
    driver_port: u16,
    _driver: Process,
    /// What a browser leaves lying about goes with it.
    _folder: TempDir,
}

/// What a thing is to somebody who cannot see it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Button,
    Field,
    Link,
    Switch,
}

impl Browser {
    pub(crate) async fn open(url: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (driver, driver_port) = start_driver(folder.path()).await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities())
            .connect(&format!("http://127.0.0.1:{driver_port}"))
            .await
            .expect("chromedriver starts a session");
        let session = client
            .session_id()
            .await
            .unwrap()
            .expect("a session has just begun");
        let browser = Self {
            client,
            session,
            driver_port,
            _driver: driver,
            _folder: folder,
        };
        browser.client.goto(url).await.unwrap();
        browser
    }

    /// Waits for the element with this role and accessible name.
    pub(crate) async fn named(&self, role: Role, name: &str) -> Element {
        eventually(&format!("{role:?} {name:?} is there"), async || {
            self.find(role, name).await
        })
        .await
    }

    pub(crate) async fn find(&self, role: Role, name: &str) -> Option<Element> {
        for element in self
            .client
            .find_all(Locator::Css(role.selector()))
            .await
            .ok()?
        {
            if self.label(&element).await.as_deref() == Some(name) {
                return Some(element);
            }
        }
        None
    }

    /// The accessible name as the browser computes it.
    pub(crate) async fn label(&self, element: &Element) -> Option<String> {
        let element = element.element_id().to_string();
        let label = self
            .client
            .issue_cmd(ComputedLabel { element })
            .await
            .ok()?;
        Some(label.as_str()?.to_owned())
    }

    /// What a script in the page returns; `None` while the page is not ready for it.
    pub(crate) async fn script(&self, script: &str) -> Option<Value> {
        self.client.execute(script, Vec::new()).await.ok()
    }

    /// A command of the browser's own protocol.
    pub(crate) async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        self.client
            .issue_cmd(DevTools {
                command,
                parameters,
            })
            .await
            .unwrap()
    }
}

impl Drop for Browser {
    /// Ends the session even while a test panics, as the driver's end alone would leave the browser running.
    fn drop(&mut self) {
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            self.session
        );
        if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.driver_port))
            && stream.write_all(request.as_bytes()).is_ok()
        {
            // The answer comes when the browser has gone; what it says does not matter.
            let _ = stream.read(&mut [0; 1024]);
        }
    }
}

impl Role {
    const fn selector(self) -> &'static str {
        match self {
            Self::Button => "button:not([role])",
            Self::Field => "input, select",
            Self::Link => "a[href]",
            Self::Switch => "[role=switch]",
        }
    }
}

/// ChromeDriver takes a port that is free for one version of IP, and gives up if the other's is not.
async fn start_driver(folder: &Path) -> (Process, u16) {
    for _ in 0..DRIVER_STARTS_MAX {
        let mut driver = Process::start(
            "chromedriver",
            Command::new(path_by("CHROMEDRIVER"))
                .arg("--port=0")
                .env("TMPDIR", folder),
        );
        let port = driver.line_or_end("chromedriver is ready", driver_port);
        if let Some(port) = port.await {
            return (driver, port);
        }
    }
    panic!("chromedriver finds no port in {DRIVER_STARTS_MAX} attempts");
}

const DRIVER_STARTS_MAX: u32 = 5;

/// From `ChromeDriver was started successfully on port 40123.`
fn driver_port(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}

fn capabilities() -> fantoccini::wd::Capabilities {
    let options = json!({
        "binary": path_by("CHROMIUM"),
        "args": [
            "headless=new",
            "no-sandbox",
            "disable-gpu",
            "disable-dev-shm-usage",
            // Tall enough for the whole field: charts out of sight do not draw.
            "window-size=1440,2600",
        ],
    });
    [("goog:chromeOptions".to_owned(), options)]
        .into_iter()
        .collect()
}

#[derive(Debug)]
struct ComputedLabel {
    element: String,
}

impl WebDriverCompatibleCommand for ComputedLabel {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!(
            "session/{session}/element/{}/computedlabel",
            self.element
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::GET, None)
    }
}

#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}
