//! Credentials that are asked for anew before every attempt.

use std::{
    any::Any,
    cell::RefCell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use bytes::Bytes;
use wasm_bindgen_futures::spawn_local;

use crate::{driver::Wake, transport::Generation};

/// Who the user says they are, and how they prove it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The User Name, if any.
    pub user_name: Option<String>,
    /// The Password, for example a token.
    pub password: Option<Bytes>,
}

/// Gives fresh [`Credentials`] for every attempt to connect, so that an expired token is never sent.
///
/// What it fails with is told as the reason of the attempt's failure; another attempt follows.
///
/// ```no_run
/// use mqtt_web_client::{Client, Credentials, CredentialsProvider, Options};
///
/// # async fn fetch_token() -> Result<String, String> { Ok(String::new()) }
/// let provider = CredentialsProvider::new(|| async {
///     let token = fetch_token().await?;
///     Ok(Credentials {
///         user_name: Some("grower".to_owned()),
///         password: Some(token.into()),
///     })
/// });
/// let (client, events) = Client::connect(Options {
///     credentials_provider: Some(provider),
///     ..Options::new("wss://broker.example/mqtt")
/// });
/// ```
#[derive(Clone)]
pub struct CredentialsProvider(Rc<dyn Fn(CredentialsAnswer) -> Asking>);

/// Dropping it gives up asking.
pub(crate) type Asking = Rc<dyn Any>;

/// Where the credentials of one attempt go.
pub(crate) struct CredentialsAnswer {
    generation: Generation,
    wake: Wake,
}

type Ask = Pin<Box<dyn Future<Output = Result<Credentials, String>>>>;

impl CredentialsProvider {
    /// Makes a provider of an async function.
    pub fn new<F, A>(ask: F) -> Self
    where
        F: Fn() -> A + 'static,
        A: Future<Output = Result<Credentials, String>> + 'static,
    {
        let ask = Rc::new(ask);
        Self(Rc::new(move |answer| {
            let ask = Rc::clone(&ask);
            start(Box::pin(async move { ask().await }), answer)
        }))
    }

    pub(crate) fn ask(&self, answer: CredentialsAnswer) -> Asking {
        (self.0)(answer)
    }
}

impl CredentialsAnswer {
    pub(crate) fn new(generation: Generation, wake: Wake) -> Self {
        Self { generation, wake }
    }
}

impl fmt::Debug for CredentialsProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CredentialsProvider")
    }
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

fn start(ask: Ask, answer: CredentialsAnswer) -> Asking {
    let asking = Rc::new(RefCell::new(Some(ask)));
    let weak = Rc::downgrade(&asking);
    spawn_local(async move {
        let result = poll_fn(|context| poll(&weak, context)).await;
        if let Some(result) = result {
            let CredentialsAnswer { generation, wake } = answer;
            wake.credentials(generation, result);
        }
    });
    asking
}

/// Polls what may be given up meanwhile, which resolves to `None`.
fn poll(
    asking: &Weak<RefCell<Option<Ask>>>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Credentials, String>>> {
    let Some(asking) = asking.upgrade() else {
        return Poll::Ready(None);
    };
    // Taken out, so that nothing is borrowed while foreign code runs.
    let taken = asking.borrow_mut().take();
    let Some(mut ask) = taken else {
        return Poll::Ready(None);
    };
    let polled = ask.as_mut().poll(context);
    if polled.is_pending() {
        *asking.borrow_mut() = Some(ask);
    }
    polled.map(Some)
}
