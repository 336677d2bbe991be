//! One pump: what it does, and its switch.

use std::time::Duration;

use field::{DeviceId, Switch as Position};
use leptos::prelude::*;

use crate::{
    components::{
        button::Button,
        countdown_ring::CountdownRing,
        notice::Notice,
        reactive::{Text, many, maybe, memo, nothing, part, text},
        switch::Switch,
    },
    format::whole,
    link::use_link,
    state::{Connection, Pump, key_of_device},
    store::{use_connection, use_fleet, use_now, utc_offset},
    words::PumpWords,
};

/// One pump, with its switch.
#[component]
pub fn PumpCard(
    /// Which.
    device: DeviceId,
) -> AnyView {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    let link = use_link();
    let run_for = RwSignal::new(String::from(LENGTH_DEFAULT));
    let words = {
        let device = device.clone();
        memo(move || {
            let now = now.get();
            let is_connected = connection.with(Connection::is_connected);
            let words = |pump: &Pump| PumpWords::of(pump, is_connected, now, utc_offset(now));
            fleet.pump(&device, words)
        })
    };
    let say = move |read: fn(&PumpWords) -> String| {
        maybe(move || words.with(|words| words.as_ref().map(read)))
    };
    let sentence_id = ["pump/", &key_of_device(&device)].concat();
    let described_by = sentence_id.clone();
    let press = {
        let device = device.clone();
        Callback::new(move |()| {
            let asked = words.with_untracked(|words| words.as_ref().map(|words| words.press));
            match asked {
                Some(Position::On) => {
                    link.switch_on(&device, run_for.with_untracked(|length| minutes(length)));
                }
                Some(Position::Off) => link.switch_off(&device),
                None => {}
            }
        })
    };
    let name = move || {
        words.with(|words| {
            words
                .as_ref()
                .map(|words| words.name.clone())
                .unwrap_or_default()
        })
    };
    let left = text(move || {
        let left = words.with(|words| words.as_ref()?.countdown.as_ref().map(|(_, left)| *left));
        whole(left.unwrap_or(0))
    });
    let is_off = memo(move || words.with(|words| words.as_ref().is_some_and(|words| words.is_off)));
    let face = part(move || {
        if is_off.get() {
            return run_length(text(move || name() + ": run for"), run_for);
        }
        view! { <span aria-hidden="true">{say(mark)}</span> }.into_any()
    });
    // Only another fault is told to a screen reader again.
    let fault = memo(move || {
        let fault = words.with(|words| words.as_ref()?.fault.clone());
        fault
            .map(|fault| vec![fault.what.to_string(), fault.remedy.to_string()])
            .unwrap_or_default()
    });
    let fault = part(move || match fault.get().as_slice() {
        [what, remedy] => {
            let (what, remedy) = (what.clone(), remedy.clone());
            view! {
                <p class="pump-card-fault" role="alert">
                    <strong>{what}</strong>
                    " "
                    {remedy}
                </p>
            }
            .into_any()
        }
        _ => nothing(),
    });
    view! {
        <article class="pump-card" data-state=say(|words| words.state.into())>
            <CountdownRing left inner=face />
            <div>
                <h3>{say(|words| words.name.clone())}</h3>
                <p class="pump-card-sentence" id=sentence_id>
                    {say(|words| words.sentence.clone())}
                </p>
            </div>
            <div class="pump-card-switch">
                <Switch
                    label=text(name)
                    described_by
                    checked=text(move || {
                        let is_on = words.with(|words| words.as_ref().is_some_and(|words| words.is_on));
                        String::from(if is_on { "true" } else { "false" })
                    })
                    between=maybe(move || {
                        words.with(|words| words.as_ref()?.between.map(String::from))
                    })
                    disabled=maybe(move || {
                        words.with(|words| words.as_ref()?.is_refused.then(|| "true".into()))
                    })
                    on_press=press
                />
                <span aria-hidden="true">{say(|words| words.label.into())}</span>
            </div>
            {fault}
        </article>
        {stray_command(device)}
    }
    .into_any()
}

/// What stands in the ring when no run's length can be chosen.
fn mark(words: &PumpWords) -> String {
    match (&words.countdown, words.between, &words.fault) {
        (Some((left, _)), ..) => left.clone(),
        (None, Some("asked"), _) => "…".into(),
        (None, None, Some(_)) => "!".into(),
        (None, ..) => "–".into(),
    }
}

/// How long the next run takes, chosen where its countdown will stand.
fn run_length(label: Text, run_for: RwSignal<String>) -> AnyView {
    let option = |&length: &&'static str| {
        let is_chosen = run_for.with_untracked(|chosen| chosen == length);
        view! { <option value=length selected=is_chosen>{[length, " min"].concat()}</option> }
            .into_any()
    };
    view! {
        <div class="pump-card-length">
            <span class="pump-card-length-number">{text(move || run_for.get())}</span>
            <span class="pump-card-length-unit">"min"</span>
            <select aria-label=label title="Run for" on:change=move |event| run_for.set(event_target_value(&event))>
                {many(LENGTHS.iter().map(option).collect())}
            </select>
        </div>
    }
    .into_any()
}

/// A retained message on the pump's command topic: a fault, with a button that clears it.
fn stray_command(device: DeviceId) -> AnyView {
    let fleet = use_fleet();
    let link = use_link();
    let stray = {
        let device = device.clone();
        memo(move || {
            let stray = fleet.pump(&device, |pump| pump.stray_command.clone());
            stray.flatten().unwrap_or_default()
        })
    };
    let clear = Callback::new(move |()| link.clear_stray_command(&device));
    part(move || {
        let stray = stray.get();
        if stray.is_empty() {
            return nothing();
        }
        let text = [
            "Its command topic holds the retained message ",
            &stray,
            ". The pump would get it again on every connection.",
        ]
        .concat();
        view! {
            <Notice tone="alarm" title="A kept command." text>
                <Button label="Clear it" on_press=clear />
            </Notice>
        }
        .into_any()
    })
    .into_any()
}

/// The length of a run that was chosen.
fn minutes(length: &str) -> Duration {
    let chosen = LENGTHS
        .iter()
        .zip(LENGTHS_MINUTES)
        .find(|(known, _)| **known == length);
    Duration::from_secs(60 * chosen.map_or(1, |(_, minutes)| minutes))
}

const LENGTHS: [&str; 3] = ["1", "5", "10"];
const LENGTHS_MINUTES: [u64; 3] = [1, 5, 10];
const LENGTH_DEFAULT: &str = "10";
