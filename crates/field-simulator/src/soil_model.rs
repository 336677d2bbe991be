//! A water balance of the root zone: the field's built-in source.
//!
//! Each probe stands in a bucket of soil. Rain and the zone's own morning irrigation fill it; what is above field
//! capacity drains within a day or two; the crop takes what the sun asks for, and less when the soil is dry.
//! Names, units and equations are those of FAO Irrigation and Drainage Paper 56, "Crop evapotranspiration" (1998).

use std::{f64::consts::PI, time::Duration};

use crate::layout::{ZONES, probes};

/// What a soil holds, in m³ of water for each m³ of soil.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Soil {
    /// θ_FC: what stays a day or two after rain.
    pub field_capacity: f64,
    /// θ_WP: what roots cannot take.
    pub wilting_point: f64,
    /// When every pore is full.
    pub saturation: f64,
}

// Within the ranges of FAO-56, Table 19; saturation from common porosities of each texture.
/// Holds little.
pub const LOAMY_SAND: Soil = soil(0.15, 0.065, 0.40);
/// Light and forgiving.
pub const SANDY_LOAM: Soil = soil(0.23, 0.11, 0.42);
/// In between.
pub const LOAM: Soil = soil(0.25, 0.12, 0.44);
/// Holds much of what roots can take.
pub const SILT_LOAM: Soil = soil(0.29, 0.15, 0.46);
/// Heavy, and wet even when plants are thirsty.
pub const SILTY_CLAY: Soil = soil(0.36, 0.23, 0.48);

const fn soil(field_capacity: f64, wilting_point: f64, saturation: f64) -> Soil {
    Soil {
        field_capacity,
        wilting_point,
        saturation,
    }
}

/// The state of the balance at every probe, at one moment of the model's time.
#[derive(Debug)]
pub struct SoilModel {
    seed: u64,
    n_steps: u64,
    buckets: Vec<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    zone: usize,
    soil: Soil,
    /// θ.
    water_content: f64,
    /// How much sun, rain and irrigation this place gets, of what the zone gets.
    exposure: f64,
}

impl SoilModel {
    /// The model at midnight of its first day.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let buckets = probes()
            .map(|(zone, probe)| {
                let soil = probe.soil;
                let depletion = 0.1 + 0.35 * random.f64();
                Bucket {
                    zone,
                    soil,
                    water_content: soil.field_capacity - depletion * soil.available(),
                    exposure: 0.85 + 0.3 * random.f64(),
                }
            })
            .collect();
        Self {
            seed,
            n_steps: 0,
            buckets,
        }
    }

    /// Lets the model's time pass until `elapsed` after its start. It never runs backwards.
    pub fn advance_to(&mut self, elapsed: Duration) {
        let target = elapsed.as_secs() / STEP.as_secs();
        while self.n_steps < target {
            self.step();
            self.n_steps += 1;
        }
    }

    /// What a probe measures, in percent.
    #[must_use]
    pub fn moisture(&self, probe: usize) -> Option<f64> {
        let bucket = self.buckets.get(probe)?;
        let noise = random_for(self.seed, self.n_steps, probe as u64).f64() - 0.5;
        Some(bucket.water_content * 100.0 + noise * NOISE_POINTS)
    }

    /// The hour of the model's day.
    #[must_use]
    pub fn hour(&self) -> f64 {
        (self.n_steps % STEPS_A_DAY) as f64 * STEP_HOURS
    }

    fn step(&mut self) {
        let day = self.n_steps / STEPS_A_DAY;
        let hour = self.hour();
        let sun_mm = reference_evapotranspiration_mm(hour) * STEP_HOURS;
        let rain_mm = rain_mm_per_hour(self.seed, day, hour) * STEP_HOURS;
        let irrigation_mm = self.irrigation_mm();
        for bucket in &mut self.buckets {
            let zone = &ZONES[bucket.zone];
            let rain_mm = if zone.is_open { rain_mm } else { 0.0 };
            bucket.step(sun_mm, rain_mm + irrigation_mm[bucket.zone]);
        }
    }

    /// What each zone's controller gives at six in the morning: it refills a zone whose readily available water is used up.
    fn irrigation_mm(&self) -> [f64; ZONES.len()] {
        let mut irrigation = [0.0; ZONES.len()];
        if self.n_steps % STEPS_A_DAY != IRRIGATION_STEP {
            return irrigation;
        }
        for (zone, irrigation) in irrigation.iter_mut().enumerate() {
            let of_zone = || self.buckets.iter().filter(|bucket| bucket.zone == zone);
            let count = of_zone().count().max(1) as f64;
            if of_zone().map(Bucket::depletion).sum::<f64>() / count > DEPLETION_FRACTION {
                let deficit = |bucket: &Bucket| {
                    (bucket.soil.field_capacity - bucket.water_content).max(0.0) * ROOT_DEPTH_MM
                };
                *irrigation = of_zone().map(deficit).sum::<f64>() / count * REFILL;
            }
        }
        irrigation
    }
}

impl Bucket {
    fn step(&mut self, sun_mm: f64, water_mm: f64) {
        let crop_mm = sun_mm * self.exposure * CROP_COEFFICIENT * self.water_stress();
        let mut water = self.water_content + (water_mm * self.exposure - crop_mm) / ROOT_DEPTH_MM;
        let excess = (water - self.soil.field_capacity).max(0.0);
        water -= excess * (1.0 - (-STEP_HOURS / DRAINAGE_HOURS).exp());
        self.water_content = water.clamp(self.soil.wilting_point, self.soil.saturation);
    }

    /// The share of the available water that is gone: D_r ÷ TAW.
    fn depletion(&self) -> f64 {
        ((self.soil.field_capacity - self.water_content) / self.soil.available()).clamp(0.0, 1.0)
    }

    /// K_s, FAO-56 equation 84: 1 until the readily available water is used up, then falling to 0 at the wilting point.
    fn water_stress(&self) -> f64 {
        ((1.0 - self.depletion()) / (1.0 - DEPLETION_FRACTION)).min(1.0)
    }
}

impl Soil {
    fn available(self) -> f64 {
        self.field_capacity - self.wilting_point
    }
}

/// ET₀ in mm an hour: nothing at night and a half sine from six to six, as solar radiation has it.
fn reference_evapotranspiration_mm(hour: f64) -> f64 {
    let of_daylight = (hour - 6.0) / 12.0;
    if (0.0..=1.0).contains(&of_daylight) {
        // The half sine's area is 2 ÷ π of its box.
        DAILY_EVAPOTRANSPIRATION_MM / 12.0 * PI / 2.0 * (PI * of_daylight).sin()
    } else {
        0.0
    }
}

/// A day of rain has one shower of three hours; most days have none.
fn rain_mm_per_hour(seed: u64, day: u64, hour: f64) -> f64 {
    let mut random = random_for(seed, day, RAIN_STREAM);
    let is_rainy = random.f64() < RAINY_DAYS;
    let begins = random.f64() * (24.0 - SHOWER_HOURS);
    let depth_mm = -MEAN_RAIN_MM * (1.0 - random.f64()).ln();
    if is_rainy && (begins..begins + SHOWER_HOURS).contains(&hour) {
        depth_mm / SHOWER_HOURS
    } else {
        0.0
    }
}

/// A generator that depends on nothing but its place, so that asking twice or late changes nothing.
fn random_for(seed: u64, first: u64, second: u64) -> fastrand::Rng {
    let place =
        first.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let mut random = fastrand::Rng::with_seed(seed ^ place);
    // Neighbouring seeds give alike first numbers.
    random.u64(..);
    random
}

const STEP: Duration = Duration::from_secs(600);
const STEP_HOURS: f64 = 1.0 / 6.0;
const STEPS_A_DAY: u64 = 144;
const IRRIGATION_STEP: u64 = 36;

/// Z_r, mm: vegetables and young trees, FAO-56 Table 22, rather shallow so that a day shows.
const ROOT_DEPTH_MM: f64 = 300.0;
/// ET₀, mm a day: a warm day in a temperate region, FAO-56 Table 2.
const DAILY_EVAPOTRANSPIRATION_MM: f64 = 5.0;
/// K_c mid-season, without unit: vegetables and fruit trees, FAO-56 Table 12.
const CROP_COEFFICIENT: f64 = 1.0;
/// p, without unit: the share of the available water that is readily available, FAO-56 Table 22.
const DEPLETION_FRACTION: f64 = 0.45;
/// Hours after which a third of the water above field capacity is left: FAO-56 chapter 8 lets it drain in a day or two.
const DRAINAGE_HOURS: f64 = 18.0;
/// The share of days with rain, and how much falls on one, mm.
const RAINY_DAYS: f64 = 0.22;
const MEAN_RAIN_MM: f64 = 7.0;
const SHOWER_HOURS: f64 = 3.0;
/// The share of its deficit that a zone's own irrigation refills.
const REFILL: f64 = 0.8;
/// How far a capacitive probe's readings scatter, in points of moisture.
const NOISE_POINTS: f64 = 0.08;
const RAIN_STREAM: u64 = 0x7261_696e;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::N_PROBES;

    const HOUR: Duration = Duration::from_secs(3_600);

    /// All probes' moisture at every hour of a month.
    fn month(seed: u64) -> Vec<Vec<f64>> {
        let mut model = SoilModel::new(seed);
        (0..30 * 24)
            .map(|hour| {
                model.advance_to(HOUR * hour);
                (0..N_PROBES)
                    .map(|probe| model.moisture(probe).unwrap())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_month() {
        assert_eq!(month(7), month(7));
        assert_ne!(month(7), month(8));
    }

    #[test]
    fn a_month_stays_between_wilting_and_saturation_and_moves() {
        let month = month(1);
        for (index, (_, probe)) in probes().enumerate() {
            let values = || month.iter().map(|row| row[index]);
            let lowest = values().fold(f64::INFINITY, f64::min);
            let highest = values().fold(0.0, f64::max);
            assert!(lowest >= probe.soil.wilting_point * 100.0 - NOISE_POINTS);
            assert!(highest <= probe.soil.saturation * 100.0 + NOISE_POINTS);
            assert!(
                highest - lowest > 2.0,
                "{}: {lowest}..{highest}",
                probe.name
            );
        }
    }

    #[test]
    fn a_day_of_sun_takes_what_the_crop_needs() {
        let day: f64 = (0..STEPS_A_DAY)
            .map(|step| reference_evapotranspiration_mm(step as f64 * STEP_HOURS) * STEP_HOURS)
            .sum();
        assert!((day - DAILY_EVAPOTRANSPIRATION_MM).abs() < 0.01, "{day}");
    }

    #[test]
    fn asking_often_and_asking_late_give_the_same() {
        let mut often = SoilModel::new(3);
        for minutes in 0..2_000 {
            often.advance_to(Duration::from_secs(minutes * 60));
        }
        let mut late = SoilModel::new(3);
        late.advance_to(Duration::from_secs(1_999 * 60));
        assert_eq!(often.moisture(5), late.moisture(5));
    }
}
