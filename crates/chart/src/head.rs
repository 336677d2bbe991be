use crate::scene::LABEL_ADVANCE;
use crate::{Anchor, Command, Dash, Ink, Picture, Scene};

impl Scene {
    /// What stands above a picture that is taken away, and how high that is: its title and, of several
    /// lines, their names.
    pub fn head(&self, title: &str, width: f32) -> (Picture, f32) {
        let mut picture = Picture::default();
        picture.commands.push(Command::Text {
            x: MARGIN,
            y: TITLE,
            anchor: Anchor::Start,
            ink: Ink::Ink,
            strong: true,
            text: title.into(),
        });
        // The first name begins a row.
        let (mut x, mut y) = (width, TITLE);
        for (number, line) in self.lines.iter().enumerate() {
            if line.is_hidden || !self.has_several() {
                continue;
            }
            let length = KEY + MARGIN + line.name.chars().count() as f32 * LABEL_ADVANCE;
            if x + length > width {
                (x, y) = (MARGIN, y + ROW);
            }
            let from = picture.corners.len();
            picture.segment((x, y), (x + KEY, y));
            picture.stroke(from, Ink::of_line(number), 2.0, Dash::of_line(number));
            let name = line.name.clone();
            picture.text(x + KEY + GAP, y, Anchor::Start, Ink::Ink, name);
            x += length + MARGIN;
        }
        (picture, y + FOOT)
    }
}

const MARGIN: f32 = 10.0;
const TITLE: f32 = 16.0;
const ROW: f32 = 20.0;
const FOOT: f32 = 12.0;
/// Long enough to show each pattern of dashes.
const KEY: f32 = 34.0;
const GAP: f32 = 6.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Line, Series};

    fn line(name: &str) -> Line {
        Line {
            name: name.into(),
            ..Line::of(Series::new(1))
        }
    }

    /// What it says, and where: from the left and from the top.
    fn texts(picture: &Picture) -> Vec<(&str, f32, f32)> {
        let texts = picture.commands.iter().filter_map(|command| {
            let Command::Text { text, x, y, .. } = command else {
                return None;
            };
            Some((text.as_str(), *x, *y))
        });
        texts.collect()
    }

    #[test]
    fn of_one_line_it_is_the_title() {
        let (head, height) = Scene::of_lines(vec![line("Bed 1")]).head("Moisture of Bed 1", 400.0);
        assert_eq!(texts(&head), [("Moisture of Bed 1", MARGIN, TITLE)]);
        assert_eq!(height, TITLE + FOOT);
    }

    #[test]
    fn of_several_it_names_those_that_are_shown_as_they_are_drawn() {
        let mut lines: Vec<Line> = ["Bed 1", "Bed 2", "Bed 3", "Bed 4"].map(line).into();
        lines[1].is_hidden = true;
        let (head, height) = Scene::of_lines(lines).head("Moisture", 250.0);
        let texts = texts(&head);
        let names: Vec<&str> = texts.iter().map(|text| text.0).collect();
        assert_eq!(names, ["Moisture", "Bed 1", "Bed 3", "Bed 4"]);
        assert_eq!(texts[1].2, texts[2].2, "two have room in a row");
        assert!(texts[3].2 > texts[2].2 && texts[3].2 < height);
        let keys = head.commands.iter().filter_map(|command| match command {
            Command::Stroke { paint, dash, .. } => Some((paint.ink, *dash)),
            Command::Fill { .. }
            | Command::Raster { .. }
            | Command::Dot { .. }
            | Command::Text { .. } => None,
        });
        let keys: Vec<(Ink, Dash)> = keys.collect();
        let look = |number| (Ink::of_line(number), Dash::of_line(number));
        assert_eq!(keys, [0, 2, 3].map(look));
    }
}
