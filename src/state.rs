//! What the page knows, as plain data.
