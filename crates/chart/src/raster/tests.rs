use proptest::prelude::*;

use super::*;

/// A line on a raster of its own, its values from 0 at the bottom to 1 at the top.
fn raster(points: &[(i64, f32)], window: Span, limit: Option<i64>, size: (usize, usize)) -> Raster {
    raster_of(&[(points, Ink::Leaf)], window, limit, size, 1.5, &[])
}

fn raster_of(
    lines: &[(&[(i64, f32)], Ink)],
    window: Span,
    limit: Option<i64>,
    (width, height): (usize, usize),
    line_width: f32,
    dash: &[f32],
) -> Raster {
    let mut raster = Raster::new(width, height);
    for &(points, ink) in lines {
        let mut series = Series::new(1_000_000);
        for &(time, value) in points {
            series.append(time, value);
        }
        let cuts = Cuts::new(&series, window, n_columns(width, series.count(window)));
        let line = RasterLine {
            series: &series,
            window,
            limit: limit.and_then(|limit| GapLimit::of(&series, window, Some(limit))),
            values: Scale::new((0.0, 1.0), (height as f64, 0.0)),
            width: line_width,
            ink,
            dash: dash.into(),
        };
        raster.line(&line, &cuts);
    }
    raster
}

const COLORS: [(Ink, Rgb); 3] = [
    (Ink::Leaf, [200, 100, 0]),
    (Ink::Water, [0, 0, 255]),
    (Ink::Clay, [255, 255, 255]),
];

fn pixels(raster: &Raster) -> Vec<[u8; 4]> {
    let color = |ink| COLORS.into_iter().find(|known| known.0 == ink).unwrap().1;
    let mut bytes = Vec::new();
    raster.paint(&color, &mut bytes);
    bytes.as_chunks().0.to_vec()
}

/// One character a pixel, the darker the more of it is covered.
fn in_characters(raster: &Raster) -> String {
    let shade = |pixel: &[u8; 4]| SHADES[usize::from(pixel[3]) * (SHADES.len() - 1) / 255];
    let mut text = String::new();
    for row in pixels(raster).chunks(raster.width) {
        let row: String = row.iter().map(shade).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

const SHADES: [char; 6] = [' ', '.', ':', '+', '*', '#'];

fn check(raster: &Raster, golden: &str) {
    let text = in_characters(raster);
    assert!(text == golden, "it is drawn otherwise:\n{text}");
}

/// Values between 0.1 and 0.9 that look like soil: dried by plants, and watered now and then.
fn soil(n: i64) -> Vec<(i64, f32)> {
    let mut value = 0.5;
    let reading = |number: i64| {
        value = if number % (n / 3) == n / 8 {
            0.85
        } else {
            value - 1.6 / n as f32
        };
        let noise = ((number * 7_919) % 101) as f32 / 101.0 - 0.5;
        (number, value + 0.08 * noise)
    };
    (0..n).map(reading).collect()
}

#[test]
fn straight_lines() {
    let window = Span::new(0, 640);
    let points = [
        (0, 0.2),
        (200, 0.2),
        (400, 0.8),
        (460, 0.8),
        (500, 0.1),
        (640, 0.95),
    ];
    check(
        &raster(&points, window, None, (64, 16)),
        include_str!("golden/straight_lines.txt"),
    );
}

#[test]
fn a_crowd_of_readings() {
    let points = soil(20_000);
    let window = Span::new(0, 20_000);
    check(
        &raster(&points, window, None, (64, 24)),
        include_str!("golden/crowd.txt"),
    );
}

#[test]
fn a_spike_and_gaps() {
    let mut points: Vec<(i64, f32)> = (0..6_400).map(|time| (time, 0.3)).collect();
    points[3_217].1 = 0.95;
    points.retain(|point| !(1_000..2_000).contains(&point.0) && !(4_505..4_700).contains(&point.0));
    points.retain(|point| point.0 < 5_500 || point.0 == 5_800);
    let window = Span::new(0, 6_400);
    check(
        &raster(&points, window, Some(30), (64, 16)),
        include_str!("golden/spike_and_gaps.txt"),
    );
}

#[test]
fn a_wide_pen() {
    let window = Span::new(0, 640);
    let points = [(60, 0.5), (200, 0.5), (210, 0.9), (220, 0.2), (400, 0.6)];
    let raster = raster_of(&[(&points, Ink::Leaf)], window, None, (64, 20), 4.0, &[]);
    check(&raster, include_str!("golden/wide_pen.txt"));
}

#[test]
fn a_broken_line_leaves_out_nothing_that_stands_out() {
    let mut points: Vec<(i64, f32)> = (0..640).map(|time| (time, 0.2)).collect();
    points[135].1 = 0.9;
    points.retain(|point| point.0 < 400 || point.0 == 510);
    let window = Span::new(0, 640);
    let broken = [16.0, 12.0];
    let lines: [(&[(i64, f32)], Ink); 1] = [(&points, Ink::Leaf)];
    let raster = raster_of(&lines, window, Some(30), (64, 16), 1.5, &broken);
    check(&raster, include_str!("golden/broken_line.txt"));
}

#[test]
fn later_lines_lie_above_and_edges_keep_their_colour() {
    let window = Span::new(0, 100);
    let lines: [(&[(i64, f32)], Ink); 2] = [
        (&[(0, 0.5), (100, 0.5)], Ink::Leaf),
        (&[(50, 0.0), (51, 1.0)], Ink::Water),
    ];
    let raster = raster_of(&lines, window, None, (20, 9), 2.0, &[]);
    let pixels = pixels(&raster);
    assert_eq!(pixels[4 * 20 + 2], [200, 100, 0, 255]);
    assert_eq!(pixels[4 * 20 + 10], [0, 0, 255, 255]);
    // A pixel half covered has the colour and half the opacity, as a canvas takes it.
    let [red, green, _, opacity] = pixels[3 * 20 + 2];
    assert!((126..=129).contains(&opacity), "{opacity}");
    assert!(
        (198..=202).contains(&red) && (98..=102).contains(&green),
        "{red} {green}"
    );
}

#[test]
fn nothing_to_draw_and_no_room_are_no_trouble() {
    assert!(
        pixels(&Raster::new(3, 2))
            .iter()
            .all(|pixel| *pixel == [0; 4])
    );
    let points = [(0, 0.5), (10, 5.0), (20, -5.0)];
    for size in [(0, 0), (1, 1), (0, 9), (9, 0)] {
        pixels(&raster(&points, Span::new(5, 5), None, size));
    }
}

/// How much of each pixel lies within reach of a line, looked up at many of its places.
fn naive(
    points: &[(i64, f32)],
    window: Span,
    (width, height): (usize, usize),
    reach: f64,
) -> Vec<f64> {
    let place = |&(time, value): &(i64, f32)| {
        let along = (time - window.start) as f64 / window.duration() as f64;
        (
            along * width as f64,
            (1.0 - f64::from(value)) * height as f64,
        )
    };
    let corners: Vec<(f64, f64)> = points.iter().map(place).collect();
    let is_covered = |x: f64, y: f64| {
        corners.windows(2).any(|ends| {
            let ((x0, y0), (x1, y1)) = (ends[0], ends[1]);
            let (dx, dy) = (x1 - x0, y1 - y0);
            let along = (((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
            (x - x0 - along * dx).hypot(y - y0 - along * dy) <= reach
        })
    };
    let pixel = |at: usize| {
        let (x, y) = ((at % width) as f64, (at / width) as f64);
        let places = (0..16).map(|place| {
            let (right, down) = (f64::from(place % 4), f64::from(place / 4));
            (x + (right + 0.5) / 4.0, y + (down + 0.5) / 4.0)
        });
        places.filter(|&(x, y)| is_covered(x, y)).count() as f64 / 16.0
    };
    (0..width * height).map(pixel).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_covers_what_a_naive_stroke_does(
        values in prop::collection::vec(0.1_f32..0.9, 2..12),
        width in 1.0_f32..4.0,
    ) {
        let n = values.len() as i64;
        let points: Vec<(i64, f32)> = (0..n).map(|number| number * 100).zip(values).collect();
        let (window, size) = (Span::new(0, (n - 1) * 100), (48, 32));
        let raster = raster_of(&[(&points, Ink::Clay)], window, None, size, width, &[]);
        let naive = naive(&points, window, size, f64::from(width) / 2.0);
        let mut sum = 0.0;
        for (at, (pixel, wanted)) in pixels(&raster).iter().zip(&naive).enumerate() {
            let off = (f64::from(pixel[3]) / 255.0 - wanted).abs();
            sum += off;
            // Ends are round in the one and cut in the other.
            let is_inside = (2..46).contains(&(at % 48));
            prop_assert!(off < 0.6 || !is_inside, "{off} at {} {}", at % 48, at / 48);
        }
        let drawn: f64 = naive.iter().sum();
        // Of a thin line that is steep, much is edge.
        let tolerance = (0.3 / f64::from(width)).max(0.12);
        prop_assert!(sum / drawn < tolerance, "{}", sum / drawn);
    }

    #[test]
    fn every_reading_of_a_window_is_covered_at_every_zoom(
        seed in any::<u64>(),
        n in 1_i64..1_500,
        zoom in 0.0_f64..1.0,
        at in 0.0_f64..1.0,
        limit in prop::option::of(1_i64..40),
        width in 1_usize..120,
    ) {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32
        };
        let mut time = 0;
        let points: Vec<(i64, f32)> = (0..n).map(|_| {
            time += 1 + (random() * random() * 20.0) as i64;
            (time, random())
        }).collect();
        let duration = ((time as f64).powf(zoom) as i64).max(1);
        let start = (at * (time - duration).max(0) as f64) as i64;
        let window = Span::new(start, start + duration);
        let size = (width, 40);
        let raster = raster(&points, window, limit, size);
        let pixels = pixels(&raster);
        for &(time, value) in points.iter().filter(|point| window.contains(point.0)) {
            let along = (time - start) as f64 / duration as f64;
            let x = ((along * width as f64) as usize).min(width - 1);
            let y = (((1.0 - value) * 40.0) as usize).min(39);
            prop_assert!(pixels[y * width + x][3] > 0, "{value} at {x} {y}");
        }
    }
}
