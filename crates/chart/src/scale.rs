/// A straight mapping from one range of numbers to another: values or times to pixels.
///
/// It rises or falls strictly as long as both ranges have an extent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// The scale that maps the ends of `from` to the ends of `to`.
    pub fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    /// Where a number comes to lie. Everything lies in the middle if `from` has no extent.
    pub fn position(self, number: f64) -> f64 {
        interpolate(number, self.from, self.to)
    }

    /// The number that lies at a position.
    pub fn invert(self, position: f64) -> f64 {
        interpolate(position, self.to, self.from)
    }

    /// The factor and the summand that make a position of a number.
    pub(crate) fn coefficients(self) -> (f64, f64) {
        let at_zero = self.position(0.0);
        (self.position(1.0) - at_zero, at_zero)
    }

    /// The positions of both ends.
    pub(crate) fn range(self) -> (f64, f64) {
        self.to
    }

    /// The numbers at both ends.
    pub fn domain(self) -> (f64, f64) {
        self.from
    }
}

fn interpolate(number: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    let length = from.1 - from.0;
    let share = if length == 0.0 {
        0.5
    } else {
        (number - from.0) / length
    };
    to.0 + share * (to.1 - to.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_without_extent_maps_to_the_middle() {
        assert_eq!(Scale::new((3.0, 3.0), (0.0, 10.0)).position(3.0), 5.0);
    }

    proptest! {
        #[test]
        fn it_is_monotone_and_inverts(
            low in -1e6_f64..1e6, length in 1e-3_f64..1e6,
            a in 0.0_f64..1.0, b in 0.0_f64..1.0,
        ) {
            let scale = Scale::new((low, low + length), (300.0, 20.0));
            let (a, b) = (low + a * length, low + b * length);
            let (at_a, at_b) = (scale.position(a), scale.position(b));
            // A chart's y runs down.
            prop_assert!((a <= b && at_a >= at_b) || (a >= b && at_a <= at_b));
            prop_assert!((20.0 - 1e-6..=300.0 + 1e-6).contains(&at_a));
            prop_assert!((scale.invert(at_a) - a).abs() <= 1e-6 * (length + low.abs()));
        }
    }
}
