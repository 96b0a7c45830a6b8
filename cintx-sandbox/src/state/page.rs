//! Cutting a list into pages by cursor.
//! A cursor is the id of an item, opaque to callers.

use crate::api::rejection::Rejection;

/// What a caller asks of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) size: usize,
    pub(crate) start_after: Option<String>,
    pub(crate) end_before: Option<String>,
}

/// One page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The cursor of the page that follows, if one does.
    pub(crate) next: Option<String>,
}

/// Cuts a page; `id` gives the cursor behind an item.
pub(crate) fn cut<T>(items: Vec<T>, window: &Window, id: impl Fn(&T) -> String) -> Result<Page<T>, Rejection> {
    let find = |name: &str, cursor: &str| {
        items
            .iter()
            .position(|item| id(item) == cursor)
            .ok_or_else(|| Rejection::refused(name, cursor, "a cursor that this list gave"))
    };
    let mut from = match &window.start_after {
        Some(cursor) => find("start_after", cursor)? + 1,
        None => 0,
    };
    let mut to = match &window.end_before {
        Some(cursor) => find("end_before", cursor)?,
        None => items.len(),
    };
    let more = if window.end_before.is_some() && window.start_after.is_none() {
        // Backwards: the last page that ends before the cursor.
        from = to.saturating_sub(window.size);
        to < items.len()
    } else {
        to = to.min(from.saturating_add(window.size)).max(from);
        to < items.len() && window.end_before.is_none()
    };
    let page: Vec<T> = items.into_iter().skip(from).take(to.saturating_sub(from)).collect();
    let next = if more { page.last().map(&id) } else { None };
    Ok(Page { items: page, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: usize, after: Option<&str>, before: Option<&str>) -> Window {
        Window { size, start_after: after.map(str::to_owned), end_before: before.map(str::to_owned) }
    }

    #[test]
    fn pages_cover_the_list_once() {
        let items: Vec<u32> = (0..7).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = cut(items.clone(), &window(3, cursor.as_deref(), None), u32::to_string).unwrap();
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn backwards_and_bad_cursors() {
        let items: Vec<u32> = (0..7).collect();
        let page = cut(items.clone(), &window(3, None, Some("5")), u32::to_string).unwrap();
        assert_eq!(page.items, [2, 3, 4]);
        assert!(cut(items, &window(3, Some("9"), None), u32::to_string).is_err());
    }
}
