mod authorization;
mod power_cuts;
