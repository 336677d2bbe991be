//! One pump: what it does, and its switch.

use std::time::Duration;

use field::{DeviceId, Switch as Position};
use leptos::prelude::*;

use crate::{
    components::{button::Button, countdown_ring::CountdownRing, notice::Notice, switch::Switch},
    format::whole,
    link::use_link,
    state::Connection,
    store::{use_connection, use_fleet, use_now, utc_offset},
    words::PumpWords,
};

/// One pump, with its switch.
#[component]
pub fn PumpCard(
    /// Which.
    device: DeviceId,
) -> impl IntoView {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    let link = use_link();
    let run_for = RwSignal::new(LENGTH_DEFAULT);
    let device = StoredValue::new(device);
    let is_connected = Memo::new(move |_| connection.with(Connection::is_connected));
    let words = Memo::new(move |_| {
        let (now, is_connected) = (now.get(), is_connected.get());
        device.with_value(|device| {
            fleet.pump(device, |pump| PumpWords::of(pump, is_connected, now, utc_offset(now)))
        })
    });
    let say = move |read: fn(&PumpWords) -> &'static str| {
        move || words.with(|words| words.as_ref().map(read))
    };
    let name = Signal::derive(move || {
        let name = device.with_value(|device| fleet.pump(device, |pump| pump.name.clone()));
        name.unwrap_or_default()
    });
    let sentence_id = device.with_value(|device| {
        ["pump-", device.zone(), "-", device.name()].concat().replace(char::is_whitespace, "-")
    });
    let press = Callback::new(move |()| {
        let asked = words.with_untracked(|words| words.as_ref().map(|words| words.press));
        device.with_value(|device| match asked {
            Some(Position::On) => {
                link.switch_on(device, Duration::from_secs(60 * run_for.get_untracked()));
            }
            Some(Position::Off) => link.switch_off(device),
            None => {}
        });
    });
    let left = Signal::derive(move || {
        words.with(|words| words.as_ref()?.countdown.as_ref().map(|(_, left)| *left)).unwrap_or(0)
    });
    let is_off = Memo::new(move |_| words.with(|words| words.as_ref().is_some_and(|words| words.is_off)));
    let face = move || {
        if is_off.get() {
            return view! { <RunLength name run_for /> }.into_any();
        }
        let text = move || {
            words.with(|words| {
                let words = words.as_ref()?;
                let mark = match (words.between, words.fault.is_some()) {
                    (Some("asked"), _) => "…",
                    (None, true) => "!",
                    _ => "–",
                };
                let left = words.countdown.as_ref().map(|(text, _)| text.clone());
                Some(left.unwrap_or_else(|| mark.into()))
            })
        };
        view! { <span aria-hidden="true">{text}</span> }.into_any()
    };
    let fault = move || {
        let fault = words.with(|words| words.as_ref()?.fault.clone())?;
        Some(view! {
            <p class="pump-card-fault" role="alert">
                <strong>{fault.what}</strong>
                " "
                {fault.remedy}
            </p>
        })
    };
    view! {
        <article class="pump-card" data-state=say(|words| words.state)>
            <CountdownRing left>{face}</CountdownRing>
            <div>
                <h3>{name}</h3>
                <p class="pump-card-sentence" id=sentence_id.clone()>
                    {move || words.with(|words| words.as_ref().map(|words| words.sentence.clone()))}
                </p>
            </div>
            <div class="pump-card-switch">
                <Switch
                    label=name
                    described_by=sentence_id
                    is_on=Signal::derive(move || {
                        words.with(|words| words.as_ref().is_some_and(|words| words.is_on))
                    })
                    between=Signal::derive(move || words.with(|words| words.as_ref()?.between))
                    is_refused=Signal::derive(move || {
                        words.with(|words| words.as_ref().is_some_and(|words| words.is_refused))
                    })
                    on_press=press
                />
                <span aria-hidden="true">{say(|words| words.label)}</span>
            </div>
            {fault}
        </article>
        <StrayCommand device />
    }
}

/// How long the next run takes, chosen where its countdown will stand.
#[component]
fn RunLength(
    /// The pump's name.
    name: Signal<String>,
    /// Minutes.
    run_for: RwSignal<u64>,
) -> impl IntoView {
    let label = move || [&name.get(), ": run for"].concat();
    let minutes = move || whole(run_for.get());
    let option = move |&(minutes, text): &(u64, &'static str)| {
        view! { <option selected=move || run_for.get() == minutes>{text}</option> }
    };
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some((minutes, _)) = LENGTHS.iter().find(|(_, text)| *text == chosen) {
            run_for.set(*minutes);
        }
    };
    view! {
        <div class="pump-card-length">
            <span class="pump-card-length-number">{minutes}</span>
            <span class="pump-card-length-unit">"min"</span>
            <select aria-label=label title="Run for" on:change=choose>
                {LENGTHS.iter().map(option).collect_view()}
            </select>
        </div>
    }
}

/// A retained message on the pump's command topic: a fault, with a button that clears it.
#[component]
fn StrayCommand(
    /// The pump.
    device: StoredValue<DeviceId>,
) -> impl IntoView {
    let fleet = use_fleet();
    let link = use_link();
    let stray = Memo::new(move |_| {
        device.with_value(|device| fleet.pump(device, |pump| pump.stray_command.clone())).flatten()
    });
    let clear = Callback::new(move |()| device.with_value(|device| link.clear_stray_command(device)));
    move || {
        let text = [
            "Its command topic holds the retained message ",
            &stray.get()?,
            ". The pump would get it again on every connection.",
        ]
        .concat();
        Some(view! {
            <Notice tone="alarm" title="A kept command." text>
                <Button label="Clear it" on_press=clear />
            </Notice>
        })
    }
}

/// Minutes, as said.
const LENGTHS: [(u64, &str); 3] = [(1, "1 min"), (5, "5 min"), (10, "10 min")];
const LENGTH_DEFAULT: u64 = 10;
