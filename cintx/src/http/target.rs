//! The path of a request, looked at before it leaves. Ids come as text from outside, and nobody sees an invisible
//! character in one.

use cintx_raw::Request;
use percent_encoding::percent_decode_str;

use crate::error::FieldError;
use crate::types::is_invisible;

/// What is wrong with the parameters in the path, each by its name.
pub(super) fn path_problems(request: &Request) -> Vec<FieldError> {
    let path = request.target().split('?').next().unwrap_or_default();
    // Most ids have nothing to escape.
    if !path.contains('%') && !path.contains("//") && !path.ends_with('/') {
        return Vec::new();
    }
    let parts = request.operation().path.split('/').zip(path.split('/'));
    parts.filter_map(|(template, part)| problem(template.strip_prefix('{')?.strip_suffix('}')?, part)).collect()
}

fn problem(name: &'static str, part: &str) -> Option<FieldError> {
    let value = percent_decode_str(part).decode_utf8_lossy();
    if value.trim().is_empty() {
        return Some(FieldError::new(name, format!("is {value:?}, expected an id")));
    }
    let is_odd = |char: char| char.is_control() || is_invisible(char);
    let shown = || value.chars().take(80).collect::<String>();
    value
        .contains(is_odd)
        .then(|| FieldError::new(name, format!("is {:?}, expected an id without invisible characters", shown())))
}

#[cfg(all(test, feature = "v2025-12-18"))]
mod tests {
    use cintx_raw::v2025_12_18::operations;

    use super::*;

    fn fields(project: &str, group: &str) -> Vec<String> {
        let target = format!("/demand/accounts/7/projects/{project}/target-groups/{group}?a=%E2%80%8B");
        let problems = path_problems(&Request::to(&operations::GET_TARGET_GROUP, target));
        problems.iter().map(|problem| problem.field().to_owned()).collect()
    }

    #[test]
    fn an_id_that_cannot_be_seen_is_refused_by_name() {
        assert_eq!(fields("01BTGNYV6HRNK8K8VKZASZCFP0", "01BTGNYV6HRNK8K8VKZASZCFP1"), [""; 0]);
        assert_eq!(fields("p%20q", "%C3%A4"), [""; 0], "odd, but to be seen");
        for odd in ["", "%20", "a%E2%80%8B", "a%0A", "%EF%BB%BFa"] {
            assert_eq!(fields(odd, "1"), ["project_id"], "{odd:?}");
            assert_eq!(fields("1", odd), ["target_group_id"], "{odd:?}");
        }
    }
}
