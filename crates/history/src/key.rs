//! Under which names the store keeps what.

/// Names a series for as long as the store lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub(crate) u32);

/// How much of time a row of a chunk stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Points as they came.
    Raw,
    /// 15 minutes.
    QuarterHour,
    /// One hour.
    Hour,
    /// One day of UTC.
    Day,
}

/// Names a chunk. One that is written anew gets another number, so that whoever reads an old state of the store
/// misses it rather than takes it for what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId {
    /// Whose.
    pub series: SeriesId,
    /// Of what.
    pub level: Level,
    /// Among the chunks of this level of this series.
    pub number: u32,
}

/// The name of a record in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// What the series is called, and how far back it goes.
    Series(SeriesId),
    /// A point that is in no chunk yet.
    Head(SeriesId, i64),
    /// Where in time a chunk is.
    Index(ChunkId),
    /// What is in a chunk.
    Body(ChunkId),
}

impl Level {
    /// From the finest to the coarsest.
    pub(crate) const ROLLUPS: [Self; 3] = [Self::QuarterHour, Self::Hour, Self::Day];

    /// How long a bucket of this level is, in milliseconds; 0 for single points.
    #[must_use]
    pub const fn width(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::QuarterHour => 15 * MINUTE,
            Self::Hour => 60 * MINUTE,
            Self::Day => 24 * 60 * MINUTE,
        }
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Raw),
            number => Self::ROLLUPS.get(usize::from(number) - 1).copied(),
        }
    }

    /// The place of a rollup among [`Self::ROLLUPS`].
    pub(crate) fn index(self) -> usize {
        (self as usize).saturating_sub(1)
    }
}

impl SeriesId {
    /// The place of the series among all, from 0 without holes.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Key {
    /// Whether these are the bytes of a key of this crate.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        let kinds = kind::SERIES..=kind::BODY;
        bytes.first().is_some_and(|kind| kinds.contains(kind))
    }

    /// The keys that a start needs are from the first of these to below the second; behind them are the chunks' bodies.
    pub const RESTORED: (&'static [u8], &'static [u8]) = (&[kind::SERIES], &[kind::BODY]);

    /// Appends the key's bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Series(series) => put(bytes, kind::SERIES, series),
            Self::Head(series, time) => {
                put(bytes, kind::HEAD, series);
                // So that the order of bytes is that of times, those before the epoch too.
                bytes.extend_from_slice(&(time as u64 ^ 1 << 63).to_be_bytes());
            }
            Self::Index(chunk) => put_chunk(bytes, kind::INDEX, chunk),
            Self::Body(chunk) => put_chunk(bytes, kind::BODY, chunk),
        }
    }

    /// Reads the bytes of a key.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        let (series, rest) = rest.split_first_chunk::<4>()?;
        let series = SeriesId(u32::from_be_bytes(*series));
        let chunk = || {
            let (&level, number) = rest.split_first()?;
            let number = u32::from_be_bytes(number.try_into().ok()?);
            let level = Level::of_number(level)?;
            Some(ChunkId {
                series,
                level,
                number,
            })
        };
        match kind {
            kind::SERIES => rest.is_empty().then_some(Self::Series(series)),
            kind::HEAD => {
                let time = u64::from_be_bytes(rest.try_into().ok()?) ^ 1 << 63;
                Some(Self::Head(series, time as i64))
            }
            kind::INDEX => chunk().map(Self::Index),
            kind::BODY => chunk().map(Self::Body),
            _ => None,
        }
    }
}

fn put(bytes: &mut Vec<u8>, kind: u8, series: SeriesId) {
    bytes.push(kind);
    bytes.extend_from_slice(&series.0.to_be_bytes());
}

fn put_chunk(bytes: &mut Vec<u8>, kind: u8, chunk: ChunkId) {
    put(bytes, kind, chunk.series);
    bytes.push(chunk.level as u8);
    bytes.extend_from_slice(&chunk.number.to_be_bytes());
}

/// The first byte of a key; the broker's own records have lower ones.
mod kind {
    pub(super) const SERIES: u8 = 0x20;
    pub(super) const HEAD: u8 = 0x21;
    pub(super) const INDEX: u8 = 0x22;
    pub(super) const BODY: u8 = 0x23;
}

pub(crate) const MINUTE: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_and_stand_in_order() {
        let (one, two) = (SeriesId(1), SeriesId(2));
        let chunk = |series, level, number| ChunkId {
            series,
            level,
            number,
        };
        let keys = [
            Key::Series(one),
            Key::Series(two),
            Key::Head(one, i64::MIN),
            Key::Head(one, -1),
            Key::Head(one, 0),
            Key::Head(two, -5),
            Key::Index(chunk(one, Level::Raw, 0)),
            Key::Index(chunk(one, Level::Raw, 256)),
            Key::Index(chunk(one, Level::Day, 3)),
            Key::Body(chunk(one, Level::Hour, u32::MAX)),
        ];
        let encoded = keys.map(|key| {
            let mut bytes = Vec::new();
            key.encode(&mut bytes);
            assert_eq!(Key::decode(&bytes), Some(key));
            assert!(Key::is_one(&bytes));
            assert_eq!(Key::decode(&bytes[..bytes.len() - 1]), None);
            bytes
        });
        assert!(encoded.is_sorted());
    }

    #[test]
    fn keys_of_others_are_not_ours() {
        for bytes in [&b""[..], b"\0clock", b"\x01\0\0\0\0\0\0\0\0", b"\x24"] {
            assert!(!Key::is_one(bytes));
            assert_eq!(Key::decode(bytes), None);
        }
    }
}
