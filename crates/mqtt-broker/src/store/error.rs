//! What can go wrong with a store.

use std::io;

use thiserror::Error;

/// The store could not do what it was asked to.
#[derive(Debug, Error)]
#[error("{}{message}", kind.in_words())]
pub struct StoreError {
    /// What a person or a caller can do about it.
    pub kind: StoreErrorKind,
    message: String,
}

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// There is no space on the disk, or in the quota. Works again when there is.
    Full,
    /// The file or its folder may not be written.
    ReadOnly,
    /// The disk failed to read, write or sync.
    Failing,
    /// There is no such file or folder, or something else has its name.
    WrongPath,
    /// What is in the file is not what was written.
    Damaged,
    /// The file was written by another version of this program.
    OtherFormat {
        /// The version that it has.
        found: u32,
        /// The version that was asked for.
        understood: u32,
    },
    /// The file for a copy is there already.
    Exists,
    /// A value is larger than a store can hold.
    TooLarge,
}

impl StoreError {
    pub(super) fn new(kind: StoreErrorKind, message: impl ToString) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    pub(super) fn other_format(found: u32, understood: u32) -> Self {
        Self::new(
            StoreErrorKind::OtherFormat { found, understood },
            format_args!(
                "it has version {found} and this program understands version {understood}"
            ),
        )
    }

    pub(super) fn damaged(message: impl ToString) -> Self {
        Self::new(StoreErrorKind::Damaged, message)
    }
}

impl StoreErrorKind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Full => "the disk is full: ",
            Self::ReadOnly => "it may not be written: ",
            Self::Failing => "the disk fails: ",
            // The operating system's words, or ours, are all there is to say.
            Self::WrongPath | Self::Exists => "",
            Self::Damaged => "the store is damaged: ",
            Self::OtherFormat { .. } => "the store has another format: ",
            Self::TooLarge => "the value is too large: ",
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other is the disk's")]
        let kind = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => StoreErrorKind::Full,
            Kind::ReadOnlyFilesystem | Kind::PermissionDenied => StoreErrorKind::ReadOnly,
            Kind::AlreadyExists => StoreErrorKind::Exists,
            Kind::NotFound
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::InvalidFilename
            | Kind::InvalidInput => StoreErrorKind::WrongPath,
            // How redb says that this is none of its files, and that one is cut short.
            Kind::InvalidData | Kind::UnexpectedEof => StoreErrorKind::Damaged,
            _ => StoreErrorKind::Failing,
        };
        Self::new(kind, error)
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "redb may add more")]
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::ValueTooLarge(_) => Self::new(StoreErrorKind::TooLarge, error),
            redb::Error::PreviousIo
            | redb::Error::DatabaseClosed
            | redb::Error::DatabaseAlreadyOpen => Self::new(StoreErrorKind::Failing, error),
            // Whatever else redb says of a file of ours, it does not look as we left it.
            _ => Self::damaged(error),
        }
    }
}
