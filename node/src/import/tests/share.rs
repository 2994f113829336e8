//! Share's export: prefixed columns, one row per person.

use super::*;

const HEADER: &str = "accommodation_id,sponsor_id,sponsor_type,accommodation_type,\
    sponsor_full_name,sponsor_email,sponsor_phone_number,sponsor_date_of_birth,\
    accommodation_full_address,accommodation_postcode,accommodation_number_of_single_rooms,\
    accommodation_availability_start_date,sponsor_languages,accommodation_step_free_access,\
    person_full_name,person_date_of_birth,accommodation_updated_at\n";

fn export() -> String {
    let first = "ACC1,SP1,individual,sponsor,Zelda Fictional,zelda@example.org,01632 960001,\
        31/12/1970,1 Nowhere Street,ls6 3ab,2,01/04/2026,\"{uk,en}\",Yes";
    let second = "ACC2,SP2,group,self_contained,Quentin Fictional,quentin@example.org,\
        07700 900001,1971-01-31,2 Nowhere Street,LS1 1AA,1,2026-05-01,{},false";
    format!(
        "{HEADER}{first},Guest One Fictional,01/02/2015,2026-01-01\n\
         {second},Guest Two Fictional,,2026-01-02\n\
         {first},Guest Three Fictional,03/02/2017,2026-01-01\n"
    )
}

#[test]
fn one_host_in_many_rows_is_one_record() {
    let import = hosts(&export()).unwrap();
    assert_eq!(import.layout, Layout::Share);
    assert_eq!(import.rows.len(), 2);
    let first = fields_of(&import, 0);
    assert_eq!(first["accommodation_type"], "sponsor");
    assert_eq!(first["number_of_single_rooms"], "2");
    assert_eq!(first["availability_start_date"], "2026-04-01");
    assert_eq!(first["languages"], "en;uk");
    assert_eq!(first["step_free_access"], "true");
    assert_eq!(first["postcode_district"], "LS6");
    assert_eq!(
        (import.rows[0].reference.as_str(), import.rows[0].row),
        ("ACC1", 2)
    );
    assert_eq!(import.rows[0].vault["full_name"], "Zelda Fictional");
    assert_eq!(import.rows[0].vault["full_address"], "1 Nowhere Street");
    assert_eq!(import.rows[0].vault["sponsor_id"], "SP1");
    assert_eq!(
        (import.rows[1].reference.as_str(), import.rows[1].row),
        ("ACC2", 3)
    );
    assert!(!fields_of(&import, 1).contains_key("languages"));
}

#[test]
fn guests_are_left_out_and_the_report_says_which_columns() {
    let import = hosts(&export()).unwrap();
    let dropped = [
        "person_full_name",
        "person_date_of_birth",
        "accommodation_updated_at",
    ];
    assert_eq!(import.dropped_columns, dropped);
    for row in &import.rows {
        let kept = format!("{:?}{:?}", row.fields, row.vault);
        assert!(!kept.contains("Guest"), "a guest's name was kept");
    }
}

#[test]
fn rows_of_one_host_that_disagree_are_told() {
    let text = export();
    let (kept, last) = text.rsplit_once("ACC1,SP1,individual").unwrap();
    let changed = last
        .replace("01632 960001", "01632 960002")
        .replace(",2,", ",3,");
    let problems = hosts(&format!("{kept}ACC1,SP1,individual{changed}")).unwrap_err();
    let told: Vec<(Option<u32>, Option<&str>, &str)> = problems
        .iter()
        .map(|p| (p.row, p.column.as_deref(), p.found))
        .collect();
    let expected = [
        (
            Some(4),
            Some("accommodation_number_of_single_rooms"),
            "another value",
        ),
        (Some(4), Some("sponsor_phone_number"), "another value"),
    ];
    assert_eq!(told, expected);
    assert!(problems[0].expected.contains("row 2"), "{}", problems[0]);
}

#[test]
fn what_one_row_leaves_empty_another_may_say() {
    let text = "accommodation_id,accommodation_type,sponsor_email,accommodation_current_capacity,person_id\n\
        A1,sponsor,,2,1\nA1,,zelda@example.org,,2\n";
    let import = hosts(text).unwrap();
    assert_eq!(import.rows[0].vault["email"], "zelda@example.org");
    assert_eq!(fields_of(&import, 0)["current_capacity"], "2");
}

#[test]
fn a_host_without_an_accommodation_is_known_by_its_sponsor_or_group() {
    let text = "accommodation_id,sponsor_id,group_id,accommodation_type,group_lead_organisation,group_name\n\
        ,S1,,sponsor,,\n,,G1,temporary,A Made-up Charity,Friends\n";
    let import = hosts(text).unwrap();
    let references: Vec<&str> = import
        .rows
        .iter()
        .map(|row| row.reference.as_str())
        .collect();
    assert_eq!(references, ["S1", "G1"]);
    assert_eq!(
        import.rows[1].vault["lead_organisation"],
        "A Made-up Charity"
    );
    assert_eq!(import.dropped_columns, ["group_name"]);
}

#[test]
fn a_column_that_nothing_is_known_about_is_told_with_its_likeness() {
    let text = "accommodation_id,accommodation_type,accommodation_step_free_acess,person_id\nA,sponsor,,1\n";
    let problem = only(hosts(text));
    assert_eq!(
        problem.column.as_deref(),
        Some("accommodation_step_free_acess")
    );
    assert!(
        problem.expected.contains("accommodation_step_free_access"),
        "{problem}"
    );
}
