//! Real measurements on the page: the right probes, the right values, charts that move.

use std::collections::BTreeSet;

use crate::harness::{Broker, Dashboard, Field, Measurements, Subscriber, V5_0, eventually};

#[tokio::test]
async fn the_page_shows_the_values_of_the_measurements_on_moving_charts() {
    let measurements = Measurements::open();
    let n_probes = measurements.columns.len();
    let broker = Broker::start().await;
    let readings = Subscriber::start(&broker, V5_0, "rootzone/+/+/moisture", &[]).await;
    let _field = Field::replay(&broker, &measurements).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;

    let cards = dashboard.live_cards(n_probes).await;
    assert_eq!(cards.len(), n_probes, "{cards:?}");

    // What goes over the wire is the file's, each probe a column of its own.
    let columns = eventually(
        "every probe has said three values of its column",
        async || columns_of_probes(&readings, &measurements),
    )
    .await;
    assert_eq!(
        columns.iter().collect::<BTreeSet<_>>().len(),
        n_probes,
        "{columns:?}"
    );

    // What stands on the page went over the wire: in one moment, all of it.
    eventually("the page shows what the probes say", async || {
        let cards = dashboard.cards().await?;
        let mut shown: Vec<f64> = cards
            .values()
            .map(|card| card.value.parse().ok())
            .collect::<Option<_>>()?;
        let mut said: Vec<f64> = topics(&readings)
            .iter()
            .filter_map(|topic| readings.last(topic)?.moisture())
            .collect();
        shown.sort_by(f64::total_cmp);
        said.sort_by(f64::total_cmp);
        // The page shows one decimal.
        let agree = |(shown, said): (&f64, &f64)| (shown - said).abs() < 0.051;
        (shown.len() == said.len() && shown.iter().zip(&said).all(agree)).then_some(())
    })
    .await;

    let before = eventually("every chart has drawn something", async || {
        let pictures = dashboard.pictures().await?;
        (pictures.len() >= n_probes && pictures.iter().all(|picture| picture.len() > 2))
            .then_some(pictures)
    })
    .await;
    eventually("every chart has changed", async || {
        let after = dashboard.pictures().await?;
        (after.len() == before.len() && after.iter().zip(&before).all(|(a, b)| a != b))
            .then_some(())
    })
    .await;
}

fn topics(readings: &Subscriber) -> BTreeSet<String> {
    readings
        .messages()
        .into_iter()
        .map(|message| message.topic)
        .collect()
}

/// For each topic the column whose rows, in order, it has said so far.
fn columns_of_probes(readings: &Subscriber, measurements: &Measurements) -> Option<Vec<usize>> {
    let topics = topics(readings);
    if topics.len() < measurements.columns.len() {
        return None;
    }
    let messages = readings.messages();
    topics
        .iter()
        .map(|topic| {
            let said: Vec<f64> = messages
                .iter()
                .filter(|message| message.topic == *topic)
                .filter_map(|message| message.moisture())
                .collect();
            if said.len() < 3 {
                return None;
            }
            let column = measurements
                .columns
                .iter()
                .position(|column| says(column, &said));
            assert!(
                column.is_some(),
                "{topic} says {said:?}, which is in no column"
            );
            column
        })
        .collect()
}

/// Whether a probe said these rows from the first on, some of them more than once, and not those that
/// passed while the machine was busy.
fn says(rows: &[f64], said: &[f64]) -> bool {
    let mut possible_rows = BTreeSet::from([0]);
    for said in said {
        possible_rows = possible_rows
            .into_iter()
            .flat_map(|row| row..=row + ROWS_MISSED_MAX + 1)
            // Payloads keep two decimals.
            .filter(|row| rows.get(*row).is_some_and(|row| (row - said).abs() < 0.006))
            .collect();
    }
    !possible_rows.is_empty()
}

const ROWS_MISSED_MAX: usize = 5;
