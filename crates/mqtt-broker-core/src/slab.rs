//! Values in numbered places that are used again.

/// A table whose places are numbers. A place says how often it was used, so that an old number is noticed.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Puts a value into a free place; gives its number and generation.
    pub(crate) fn insert(&mut self, value: T) -> (u32, u32) {
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.value = Some(value);
            return (index, place.generation);
        }
        let index = u32::try_from(self.places.len())
            .expect("the limits on connections and sessions keep tables small");
        self.places.push(Place {
            generation: 0,
            value: Some(value),
        });
        (index, 0)
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let place = self.places.get_mut(index as usize)?;
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }

    pub(crate) fn find(&self, index: u32) -> Option<&T> {
        self.places.get(index as usize)?.value.as_ref()
    }

    pub(crate) fn find_mut(&mut self, index: u32) -> Option<&mut T> {
        self.places.get_mut(index as usize)?.value.as_mut()
    }

    /// The generation of a place that is in use.
    pub(crate) fn generation(&self, index: u32) -> Option<u32> {
        let place = self.places.get(index as usize)?;
        place.value.as_ref().map(|_| place.generation)
    }

    pub(crate) const fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The numbers of all places in use.
    pub(crate) fn indices(&self) -> impl Iterator<Item = u32> {
        (0u32..)
            .zip(&self.places)
            .filter(|(_, place)| place.value.is_some())
            .map(|(index, _)| index)
    }
}
