//! A checksum in front of every value.
//!
//! redb verifies its pages only when it checks the whole file.
//! With a checksum of its own an entry that is read out of a damaged file is either right or left out.

/// What is stored for an entry: the CRC-32 of key and value, big-endian, then the value.
pub(super) fn seal(key: &[u8], value: &[u8], stored: &mut Vec<u8>) {
    stored.clear();
    stored.extend_from_slice(&crc_of(key, value).to_be_bytes());
    stored.extend_from_slice(value);
}

/// The value, if what is stored is what was sealed with this key.
pub(super) fn unseal<'a>(key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (crc, value) = stored.split_first_chunk::<4>()?;
    (u32::from_be_bytes(*crc) == crc_of(key, value)).then_some(value)
}

fn crc_of(key: &[u8], value: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !value.iter().fold(key.iter().fold(!0, step), step)
}

/// CRC-32 as in IEEE 802.3, reflected.
const POLYNOMIAL: u32 = 0xEDB8_8320;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(crc_of(b"1234", b"56789"), 0xCBF4_3926);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut stored = Vec::new();
        seal(b"key", b"value", &mut stored);
        assert_eq!(unseal(b"key", &stored), Some(&b"value"[..]));
        assert_eq!(unseal(b"kex", &stored), None);
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(b"key", &flipped), None);
        }
        assert_eq!(unseal(b"key", &stored[..3]), None);
    }
}
