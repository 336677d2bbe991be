//! Every pump was told to stop: who has confirmed?

use field::{Switch, SwitchState, Timestamp};

use crate::state::Pump;

/// Every pump was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopAll {
    /// When.
    pub since: Timestamp,
}

/// What one pump has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It says that it is off.
    Confirmed,
    /// OFF was sent, and it has time left to answer.
    Waiting,
    /// OFF goes the moment there is a connection.
    NotConnected,
    /// It has not answered in time; OFF is sent again and again.
    Silent,
    /// Its device is offline. OFF was sent.
    Offline,
    /// Whatever it says cannot be read.
    Unreadable,
    /// It was switched on again afterwards.
    RunningAgain,
}

impl Answer {
    /// What a pump has answered, if every pump was told to stop.
    #[must_use]
    pub fn of(pump: &Pump, is_connected: bool) -> Self {
        match pump.switch.state() {
            SwitchState::Off { .. } => Self::Confirmed,
            _ if !is_connected => Self::NotConnected,
            _ if pump.fault.is_some() => Self::Unreadable,
            SwitchState::Unknown | SwitchState::AskedOff { .. } => Self::Waiting,
            SwitchState::NotConfirmed {
                asked: Switch::Off, ..
            } => Self::Silent,
            SwitchState::Unreachable { .. } => Self::Offline,
            SwitchState::Running(_)
            | SwitchState::AskedOn { .. }
            | SwitchState::NotConfirmed {
                asked: Switch::On, ..
            } => Self::RunningAgain,
        }
    }

    /// As it stands in `data-answer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waiting | Self::NotConnected => "waiting",
            Self::Silent | Self::Offline | Self::Unreadable | Self::RunningAgain => "silent",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed off",
            Self::Waiting => "asked, waiting for its answer",
            Self::NotConnected => "waits for the connection",
            Self::Silent => "no answer, asking again",
            Self::Offline => "offline, OFF was sent",
            Self::Unreadable => "unreadable message, OFF was sent",
            Self::RunningAgain => "switched on again since",
        }
    }
}
