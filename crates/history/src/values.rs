//! Values as integers, exactly.

/// How the values of a chunk are integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// What a device wrote with so many decimals.
    Decimals(u32),
    /// What has no few decimals: its bits, in the order of the numbers.
    Bits,
}

impl Scale {
    /// The smallest scale that gives each of these values back as it is.
    pub(crate) fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let fits = |decimals: &u32| {
            let scale = Self::Decimals(*decimals);
            let limit = INTEGER_MAX / power_of_ten(*decimals);
            values.clone().all(|value| {
                f64::from(value.abs()) <= limit && scale.value(scale.integer(value)) == Some(value)
            })
        };
        let decimals = (0..=DECIMALS_MAX).find(fits);
        decimals.map_or(Self::Bits, Self::Decimals)
    }

    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Decimals(decimals) => u64::from(decimals),
            Self::Bits => BITS_NUMBER,
        }
    }

    pub(crate) fn of_number(number: u64) -> Option<Self> {
        match u32::try_from(number).ok()? {
            decimals @ 0..=DECIMALS_MAX => Some(Self::Decimals(decimals)),
            _ => (number == BITS_NUMBER).then_some(Self::Bits),
        }
    }

    pub(crate) fn integer(self, value: f32) -> i64 {
        match self {
            Self::Decimals(decimals) => (f64::from(value) * power_of_ten(decimals)).round() as i64,
            Self::Bits => {
                let bits = value.to_bits() as i32;
                i64::from(bits ^ ((bits >> 31) as u32 >> 1) as i32)
            }
        }
    }

    /// `None` for what no value gives.
    pub(crate) fn value(self, integer: i64) -> Option<f32> {
        let value = match self {
            Self::Decimals(decimals) => (integer as f64 / power_of_ten(decimals)) as f32,
            Self::Bits => {
                let bits = i32::try_from(integer).ok()?;
                f32::from_bits((bits ^ ((bits >> 31) as u32 >> 1) as i32) as u32)
            }
        };
        value.is_finite().then_some(value)
    }
}

/// Exactly, on every machine.
pub(crate) fn power_of_ten(decimals: u32) -> f64 {
    (0..decimals).fold(1.0, |power, _| power * 10.0)
}

/// More are noise of a conversion, and an `f32` has no more.
const DECIMALS_MAX: u32 = 6;
const BITS_NUMBER: u64 = 7;
/// A thousand million of these can be added.
const INTEGER_MAX: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_scale_is_taken() {
        for (values, scale) in [
            (&[][..], Scale::Decimals(0)),
            (&[512.0, 1_023.0], Scale::Decimals(0)),
            (&[37.2, 18.45, -0.3], Scale::Decimals(2)),
            (&[38.767_35], Scale::Decimals(5)),
            (&[1.0 / 3.0], Scale::Bits),
            (&[f32::MAX], Scale::Bits),
        ] {
            assert_eq!(Scale::of(values.iter().copied()), scale, "{values:?}");
            assert_eq!(Scale::of_number(scale.number()), Some(scale));
        }
    }

    #[test]
    fn every_value_is_given_back_and_the_order_is_kept() {
        let mut random = fastrand::Rng::with_seed(4);
        let mut values: Vec<f32> = (0..10_000)
            .map(|_| f32::from_bits(random.u32(..)))
            .filter(|value| value.is_finite() && *value != 0.0)
            .collect();
        values.sort_by(f32::total_cmp);
        let integers: Vec<i64> = values.iter().map(|v| Scale::Bits.integer(*v)).collect();
        assert!(integers.is_sorted());
        for (value, integer) in values.iter().zip(integers) {
            assert_eq!(Scale::Bits.value(integer), Some(*value));
        }
    }
}
