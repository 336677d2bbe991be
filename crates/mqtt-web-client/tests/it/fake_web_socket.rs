//! A WebSocket that the test holds in its hand, in place of the browser's.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};

/// While it is there, the page's `WebSocket` is this.
pub(crate) struct FakeWebSockets {
    sockets: Rc<RefCell<Vec<Socket>>>,
    real: JsValue,
    _open: Closure<dyn FnMut(String, String) -> JsValue>,
}

/// One that was opened.
#[derive(Clone)]
pub(crate) struct Socket {
    object: Object,
    pub(crate) offered: String,
    sent: Rc<RefCell<Vec<Vec<u8>>>>,
    n_closed: Rc<Cell<usize>>,
    /// Kept as long as the client may call them.
    _send: Rc<Closure<dyn FnMut(Uint8Array)>>,
    _close: Rc<Closure<dyn FnMut()>>,
}

impl FakeWebSockets {
    pub(crate) fn new() -> Self {
        let sockets = Rc::new(RefCell::new(Vec::new()));
        let opened = Rc::clone(&sockets);
        let open = Closure::<dyn FnMut(String, String) -> JsValue>::new(move |_url, offered| {
            let socket = Socket::new(offered);
            let object = socket.object.clone();
            opened.borrow_mut().push(socket);
            object.into()
        });
        let global = js_sys::global();
        let real = Reflect::get(&global, &WEB_SOCKET.into()).unwrap();
        // A closure is no constructor, but what a constructor returns is the object.
        let constructor =
            Function::new_with_args("url, protocol", "return this.open(url, protocol)");
        let prototype = Reflect::get(&constructor, &"prototype".into()).unwrap();
        set(&prototype, "open", open.as_ref());
        set(&global, WEB_SOCKET, &constructor);
        Self {
            sockets,
            real,
            _open: open,
        }
    }

    /// The one that was opened last.
    pub(crate) fn last(&self) -> Socket {
        self.sockets.borrow().last().unwrap().clone()
    }

    pub(crate) fn n_opened(&self) -> usize {
        self.sockets.borrow().len()
    }
}

impl Drop for FakeWebSockets {
    fn drop(&mut self) {
        set(&js_sys::global(), WEB_SOCKET, &self.real);
    }
}

impl Socket {
    fn new(offered: String) -> Self {
        let object = Object::new();
        let sent = Rc::new(RefCell::new(Vec::new()));
        let send = Closure::<dyn FnMut(Uint8Array)>::new({
            let sent = Rc::clone(&sent);
            move |bytes: Uint8Array| sent.borrow_mut().push(bytes.to_vec())
        });
        let n_closed = Rc::new(Cell::new(0));
        let close = Closure::<dyn FnMut()>::new({
            let n_closed = Rc::clone(&n_closed);
            move || n_closed.set(n_closed.get() + 1)
        });
        set(&object, "send", send.as_ref());
        set(&object, "close", close.as_ref());
        set(&object, "protocol", &"".into());
        set(&object, "bufferedAmount", &0.into());
        Self {
            object,
            offered,
            sent,
            n_closed,
            _send: Rc::new(send),
            _close: Rc::new(close),
        }
    }

    /// The server accepted and chose this subprotocol.
    pub(crate) fn open(&self, chosen: &str) {
        set(&self.object, "protocol", &chosen.into());
        self.call("onopen", &JsValue::UNDEFINED);
    }

    pub(crate) fn receive(&self, bytes: &[u8]) {
        let buffer = Uint8Array::from(bytes).buffer();
        self.receive_data(&buffer);
    }

    pub(crate) fn receive_data(&self, data: &JsValue) {
        let event = Object::new();
        set(&event, "data", data);
        self.call("onmessage", &event);
    }

    pub(crate) fn error(&self) {
        self.call("onerror", &Object::new());
    }

    pub(crate) fn close(&self) {
        self.call("onclose", &Object::new());
    }

    pub(crate) fn set_buffered_amount(&self, n_bytes: u32) {
        set(&self.object, "bufferedAmount", &n_bytes.into());
    }

    pub(crate) fn take_sent(&self) -> Vec<Vec<u8>> {
        self.sent.take()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.n_closed.get() > 0
    }

    pub(crate) fn binary_type(&self) -> Option<String> {
        let value = Reflect::get(&self.object, &"binaryType".into()).unwrap();
        value.as_string()
    }

    /// Whether the client still listens to anything.
    pub(crate) fn has_listeners(&self) -> bool {
        let handlers = ["onopen", "onmessage", "onclose", "onerror"];
        handlers.iter().any(|name| self.handler(name).is_some())
    }

    fn handler(&self, name: &str) -> Option<Function> {
        let handler = Reflect::get(&self.object, &name.into()).unwrap();
        handler.dyn_into().ok()
    }

    fn call(&self, name: &str, event: &JsValue) {
        if let Some(handler) = self.handler(name) {
            handler.apply(&self.object, &Array::of1(event)).unwrap();
        }
    }
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).unwrap();
}

const WEB_SOCKET: &str = "WebSocket";
