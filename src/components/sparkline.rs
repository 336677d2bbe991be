//! A small chart without axes.
