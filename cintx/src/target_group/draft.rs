//! Drafts: building, checking and creating a target group; reading, changing and duplicating a draft.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::details::reference_problem;
use super::re_entry::{HasReEntry, ReEntry};
use super::{PricingModel, TargetGroup, TargetGroupSummary};
use crate::audience::Audience;
use crate::client::Client;
use crate::client::options::with_options;
use crate::error::{Error, FieldError, RequiredFields, must_be_future, text_length};
use crate::exclusion::{ActivityExclusion, HasActivityExclusions};
use crate::fielding::assistant::{FieldingAssistant, Pricing};
use crate::quota::QuotaTable;
use crate::recovery::resolver::own_reference;
use crate::reference::account::BusinessUnitRef;
use crate::supply::{AllocationProgress, Supply};
use crate::target_group::NAME_CHARS;
use crate::target_group::feasibility::{DraftFeasibility, goal_problem};
use crate::types::ids::{
    BusinessUnitId, EndClientId, IndustryCode, LockoutCode, ProfileTemplateId, ProjectId, StudyTypeCode, TargetGroupId,
    UserId,
};
use crate::types::{IncidenceRate, IntoField, LengthOfInterview, Locale, Money, SurveyUrl, TimeRange};
use crate::version::Version;

/// Everything about a draft but its audience.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DraftSettings {
    /// The name: 5 to 128 characters.
    pub name: String,
    /// The business unit that buys.
    pub business_unit: BusinessUnitId,
    /// The project manager.
    pub manager: UserId,
    /// Language and country, such as `eng_gb`.
    pub locale: Locale,
    /// How many completes are wanted: at least 1.
    pub completes_goal: u32,
    /// How long the interview takes.
    pub length_of_interview: LengthOfInterview,
    /// The share of respondents who qualify.
    pub incidence_rate: IncidenceRate,
    /// When field begins and ends.
    pub fielding_period: TimeRange,
    /// What a complete costs; `None` for rate cards.
    pub cost_per_interview: Option<Money>,
    /// What the buyer's client pays for an interview, as a note.
    pub cost_note: Option<Money>,
    /// On whose behalf it is bought.
    pub client: Option<EndClientId>,
    /// The industry; Cint's own default if not set.
    pub industry: Option<IndustryCode>,
    /// Keeps out respondents who took part in a study of the same industry lately.
    pub lockout: Option<LockoutCode>,
    /// The kind of study; Cint's own default if not set.
    pub study_type: Option<StudyTypeCode>,
    /// Where respondents are sent; holds `[%RID%]`.
    #[serde(default, deserialize_with = "SurveyUrl::read_kept_option")]
    pub live_url: Option<SurveyUrl>,
    /// Where test respondents are sent; the live address if not set.
    #[serde(default, deserialize_with = "SurveyUrl::read_kept_option")]
    pub test_url: Option<SurveyUrl>,
    /// Whether the survey asks for personal data.
    pub collects_pii: bool,
    /// The buyer's own number for it: 3 to 128 letters, digits, `-`, `_` and spaces. From 2025-12-18 on.
    pub reference: Option<String>,
    /// The suppliers and their shares.
    pub supply: Supply,
    /// What Cint does by itself in field.
    pub assistant: FieldingAssistant,
}

impl DraftSettings {
    /// Nothing but a name; what else is required holds placeholders.
    pub(crate) fn named(name: String) -> Self {
        Self {
            name,
            business_unit: BusinessUnitId::new(0),
            manager: UserId::PLACEHOLDER,
            locale: Locale::PLACEHOLDER,
            completes_goal: 1,
            length_of_interview: LengthOfInterview::PLACEHOLDER,
            incidence_rate: IncidenceRate::PLACEHOLDER,
            fielding_period: TimeRange::PLACEHOLDER,
            cost_per_interview: None,
            cost_note: None,
            client: None,
            industry: None,
            lockout: None,
            study_type: None,
            live_url: None,
            test_url: None,
            collects_pii: false,
            reference: None,
            supply: Supply::open_exchange(),
            assistant: FieldingAssistant::prevent_overfill(),
        }
    }

    /// Says everything that a version would refuse, but for a field that was to begin by now.
    fn check<V: Version>(&self, now: Timestamp, problems: &mut Vec<FieldError>) {
        problems.extend(text_length("name", self.name.trim(), NAME_CHARS));
        problems
            .extend((self.completes_goal == 0).then(|| FieldError::new("completes_goal", "is 0, expected at least 1")));
        reference_problem::<V>(self.reference.as_deref(), problems);
        self.supply.check::<V>(problems);
        self.assistant.check::<V>(now, problems);
        match (&self.assistant.pricing, &self.cost_per_interview) {
            (Some(Pricing::Dynamic { .. }), None) => problems.push(FieldError::new(
                "pricing",
                "is dynamic without a cost_per_interview: a rate card wants rate-card pricing",
            )),
            (Some(Pricing::RateCard { .. }), Some(price)) => problems.push(FieldError::new(
                "cost_per_interview",
                format!("is {price}, but pricing is by rate card: set one of them"),
            )),
            _ => {}
        }
    }
}

/// A target group as it will be sent, whatever the version: its settings, and its audience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetGroupDraft {
    /// Everything but the audience.
    pub settings: DraftSettings,
    /// The audience.
    pub audience: Audience,
    /// Whether respondents of the project's other target groups are kept out; Cint's own default if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excludes_project: Option<bool>,
    /// Whose recent respondents are kept out. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity_exclusions: Vec<ActivityExclusion>,
    /// Whether respondents may enter again; Cint's own default if not set. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re_entry: Option<ReEntry>,
}

impl TargetGroupDraft {
    /// A draft that leaves to Cint who may enter.
    pub(crate) fn new(settings: DraftSettings, audience: Audience) -> Self {
        Self { settings, audience, excludes_project: None, activity_exclusions: Vec::new(), re_entry: None }
    }

    /// Writes to the log what whole numbers make of the audience that is about to be sent.
    fn log_warnings<V: Version>(&self) {
        if !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        let warnings = self.audience.warnings_in(self.settings.completes_goal, V::DRAFTS_IN);
        crate::quota::warning::log(&self.settings.name, &warnings);
    }
}

/// What a target group cannot be without.
const REQUIRED: &[&str] = &[
    "business_unit",
    "manager",
    "locale",
    "completes_goal",
    "length_of_interview",
    "incidence_rate",
    "fielding_period",
    "live_url",
    "audience",
];

/// Describes a target group step by step.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `create`"]
pub struct DraftBuilder<V: Version> {
    pub(super) client: Client<V>,
    project: ProjectId,
    /// What was given; placeholders for what is required and was not.
    draft: TargetGroupDraft,
    required: RequiredFields,
    /// The business unit that was given, with what is known of it.
    buyer: Option<BusinessUnitRef>,
    in_field: bool,
    /// A reference to find it by, unless the buyer gives one.
    own_reference: Option<String>,
    problems: Vec<FieldError>,
}

with_options!(DraftBuilder: client);

impl<V: Version> DraftBuilder<V> {
    pub(crate) fn new(client: Client<V>, project: ProjectId, name: String) -> Self {
        Self {
            client,
            project,
            draft: TargetGroupDraft::new(DraftSettings::named(name), Audience::independent([])),
            required: RequiredFields::new(REQUIRED),
            buyer: None,
            in_field: false,
            own_reference: None,
            problems: Vec::new(),
        }
    }

    /// Takes a value that may be wrong; says so if it is.
    fn set<T>(
        mut self,
        field: &'static str,
        value: impl IntoField<T>,
        set: impl FnOnce(&mut DraftSettings, T),
    ) -> Self {
        if let Some(value) = value.into_field(field, &mut self.problems) {
            set(&mut self.draft.settings, value);
            self.required.give(field);
        }
        self
    }

    /// The business unit that buys: its number, or the [`BusinessUnit`](crate::reference::BusinessUnit) itself, whose
    /// currency and pricing are then checked, too. Required.
    pub fn business_unit(mut self, buyer: impl Into<BusinessUnitRef>) -> Self {
        let buyer = self.buyer.insert(buyer.into()).id();
        self.set("business_unit", buyer, |settings, buyer| settings.business_unit = buyer)
    }

    /// The project manager. Required.
    pub fn manager(self, manager: UserId) -> Self {
        self.set("manager", manager, |settings, manager| settings.manager = manager)
    }

    /// Language and country as Cint writes them: `eng_gb`, `ger_de`. Required.
    pub fn locale(self, locale: impl IntoField<Locale>) -> Self {
        self.set("locale", locale, |settings, locale| settings.locale = locale)
    }

    /// How many completes are wanted. Required; at least 1.
    pub fn completes_goal(self, completes: u32) -> Self {
        self.set("completes_goal", completes, |settings, completes: u32| settings.completes_goal = completes)
    }

    /// How long the interview takes: [`LengthOfInterview::minutes(10)`](LengthOfInterview::minutes). Required; 1 to 45
    /// minutes.
    pub fn length_of_interview(self, length: impl IntoField<LengthOfInterview>) -> Self {
        self.set("length_of_interview", length, |settings, length| settings.length_of_interview = length)
    }

    /// The share of respondents who qualify: `"0.50"`. Required; 0.01 to 1.
    pub fn incidence_rate(self, rate: impl IntoField<IncidenceRate>) -> Self {
        self.set("incidence_rate", rate, |settings, rate| settings.incidence_rate = rate)
    }

    /// When field begins and ends. Required; begins in the future.
    pub fn fielding_period(self, period: impl IntoField<TimeRange>) -> Self {
        self.set("fielding_period", period, |settings, period| settings.fielding_period = period)
    }

    /// What a complete costs. Only for business units with dynamic pricing, in their currency.
    pub fn cost_per_interview(mut self, price: Money) -> Self {
        self.draft.settings.cost_per_interview = Some(price);
        self
    }

    /// Where respondents are sent: an https address of at most 3,000 characters that holds `[%RID%]`. Required, unless
    /// the draft is [without one](Self::without_live_url).
    pub fn live_url(self, url: impl IntoField<SurveyUrl>) -> Self {
        self.set("live_url", url, |settings, url| settings.live_url = Some(url))
    }

    /// The survey has no address yet: [`edit_draft`](TargetGroup::edit_draft) sets it before the launch. 2025-02-17
    /// wants one from the beginning; there, this is refused before anything is sent.
    pub fn without_live_url(mut self) -> Self {
        self.draft.settings.live_url = None;
        self.required.give("live_url");
        self
    }

    /// Where test respondents are sent; the live address if not set.
    pub fn test_url(self, url: impl IntoField<SurveyUrl>) -> Self {
        self.set("test_url", url, |settings, url| settings.test_url = Some(url))
    }

    /// Says whether the survey asks for personal data; it does not if not set.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        self.draft.settings.collects_pii = collects;
        self
    }

    /// What the buyer's client pays for an interview, as a note. Only with dynamic pricing.
    pub fn cost_note(mut self, price: Money) -> Self {
        self.draft.settings.cost_note = Some(price);
        self
    }

    /// On whose behalf it is bought.
    pub fn on_behalf_of(mut self, client: impl Into<EndClientId>) -> Self {
        self.draft.settings.client = Some(client.into());
        self
    }

    /// The industry; Cint's own default if not set.
    pub fn industry(mut self, code: IndustryCode) -> Self {
        self.draft.settings.industry = Some(code);
        self
    }

    /// Keeps out respondents who took part in a study of the same industry lately.
    pub fn lockout(mut self, code: LockoutCode) -> Self {
        self.draft.settings.lockout = Some(code);
        self
    }

    /// The kind of study; Cint's own default if not set.
    pub fn study_type(mut self, code: StudyTypeCode) -> Self {
        self.draft.settings.study_type = Some(code);
        self
    }

    /// The buyer's own number for it: 3 to 128 letters, digits, `-`, `_` and spaces. From 2025-12-18 on.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.draft.settings.reference = Some(reference.into());
        self
    }

    /// What Cint does by itself in field; only keeps quotas from being overfilled if not set.
    pub fn assistant(mut self, assistant: FieldingAssistant) -> Self {
        self.draft.settings.assistant = assistant;
        self
    }

    /// The suppliers and their shares; the open exchange if not set.
    pub fn supply(mut self, supply: Supply) -> Self {
        self.draft.settings.supply = supply;
        self
    }

    /// The audience. Required.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.draft.audience = audience;
        self.required.give("audience");
        self
    }

    /// Keeps out, or lets in, respondents of the project's other target groups; Cint's own default if not set. From
    /// 2025-02-17 on [`set_exclusion_policies`](crate::project::ProjectScope::set_exclusion_policies) changes it
    /// afterwards.
    pub fn exclude_project(mut self, exclude: bool) -> Self {
        self.draft.excludes_project = Some(exclude);
        self
    }

    /// Keeps out who took part in these target groups and projects lately; not in the own project.
    ///
    /// From 2025-12-18 on.
    pub fn exclude_activity(mut self, exclusions: impl IntoIterator<Item = ActivityExclusion>) -> Self
    where
        V: HasActivityExclusions,
    {
        self.draft.activity_exclusions.extend(exclusions);
        self
    }

    /// Says whether respondents may enter again; Cint's own default if not set.
    ///
    /// From 2025-12-18 on.
    pub fn re_entry(mut self, re_entry: ReEntry) -> Self
    where
        V: HasReEntry,
    {
        self.draft.re_entry = Some(re_entry);
        self
    }

    /// Describes what is in field already, and so may have begun.
    pub(crate) fn in_field(mut self) -> Self {
        self.in_field = true;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.draft.settings.name
    }

    /// The buyer's own number for it, if there is one.
    pub(crate) fn given_reference(&self) -> Option<&str> {
        self.draft.settings.reference.as_deref()
    }

    /// Bears this reference, which no other thing has, where the version has references and the buyer gives none.
    pub(crate) fn bearing(mut self, own_reference: String) -> Self {
        self.own_reference = Some(own_reference);
        self
    }

    /// Refuses a target group of a list that was not made of this draft, as far as the list shows it.
    pub(crate) fn check_is_that_of(&self, there: &TargetGroupSummary) -> Result<(), Error> {
        let settings = &self.draft.settings;
        let mut problems = Vec::new();
        let mut refuse = |field: &'static str, is: &dyn std::fmt::Display, wanted: &dyn std::fmt::Display| {
            let reason = format!("is {wanted}, but {is} of the target group {} that is there already", there.id);
            problems.push(FieldError::new(field, reason));
        };
        if let Some(is) = there.locale.as_ref().filter(|_| self.required.has("locale"))
            && *is != settings.locale
        {
            refuse("locale", is, &settings.locale);
        }
        // A reference that follows from a name of the program's own is nobody else's.
        if let Some(is) = there.name.as_deref().filter(|_| settings.reference.is_some())
            && is != settings.name.trim()
        {
            refuse("name", &format!("{is:?}"), &format!("{:?}", settings.name.trim()));
        }
        Error::check(problems)
    }

    /// The goal, once it is given.
    fn given_goal(&self) -> Option<u32> {
        self.required.has("completes_goal").then_some(self.draft.settings.completes_goal)
    }

    /// The target group as data, checked.
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once.
    pub fn build(self) -> Result<TargetGroupDraft, Error> {
        self.check().map(|(_, _, draft)| draft)
    }

    /// Asks what can be had for these settings, with their audience and supply. Await it to ask; creates nothing. Every
    /// field that is missing or wrong is an error, at once; a quote wants neither a manager nor an address, and at most
    /// 10,000 completes.
    #[doc(alias = "calculate_target_group_feasibility")]
    pub fn feasibility(&self) -> DraftFeasibility<V> {
        DraftFeasibility::of(self.clone())
    }

    /// Creates the target group as a draft.
    ///
    /// From 2025-02-17 on this takes no idempotency key: every request makes a new target group. So it is sent once,
    /// with a reference by which it can be found; if its answer is lost, it is looked up, and only what cannot be found
    /// out is an error.
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once, before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "create_target_group")]
    pub async fn create(mut self) -> Result<TargetGroup<V>, Error> {
        let own = self.own_reference.take();
        let (client, project, mut draft) = self.solved().await.check()?;
        draft.log_warnings::<V>();
        let is_referred = give_reference::<V>(&mut draft.settings, own);
        let create = |client: Client<V>| {
            let (project, draft) = (&project, &draft);
            async move { V::create_target_group(client.raw(), client.account(), project, draft).await }
        };
        let id = client.create_once(is_referred, create, TargetGroupId::new).await?;
        Ok(TargetGroup { client, project, id })
    }

    /// As [`build`](Self::build), with what is interlocked solved on a thread for blocking work.
    pub(crate) async fn build_ahead(self) -> Result<TargetGroupDraft, Error> {
        self.solved().await.build()
    }

    pub(crate) async fn solved(self) -> Self {
        self.draft.audience.solve_ahead(self.given_goal(), V::DRAFTS_IN).await;
        self
    }

    /// As [`check`](Self::check), of what a request for feasibility holds.
    pub(super) fn check_for_feasibility(mut self) -> Result<(Client<V>, ProjectId, TargetGroupDraft), Error> {
        let mut problems = std::mem::take(&mut self.problems);
        self.required.give("manager");
        self.required.give("live_url");
        self.required.report_missing(&mut problems);
        let (draft, goal) = (&self.draft, self.given_goal());
        if self.required.has("audience") {
            draft.audience.check(goal, V::DRAFTS_IN, &mut problems);
        }
        if self.required.has("fielding_period") {
            let start = draft.settings.fielding_period.start();
            problems.extend(must_be_future("fielding_period", start, self.client.now()));
        }
        problems.extend(goal.and_then(goal_problem));
        draft.settings.supply.check::<V>(&mut problems);
        // A price may be left out: the answer suggests one.
        if let Some(buyer) = self.buyer.as_ref().filter(|_| draft.settings.cost_per_interview.is_some()) {
            buyer.check(&draft.settings, &mut problems);
        }
        Error::check(problems)?;
        Ok((self.client, self.project, self.draft))
    }

    pub(super) fn check(mut self) -> Result<(Client<V>, ProjectId, TargetGroupDraft), Error> {
        let now = self.client.now();
        let mut problems = std::mem::take(&mut self.problems);
        self.required.report_missing(&mut problems);
        let (draft, goal) = (&self.draft, self.given_goal());
        if self.required.has("audience") {
            draft.audience.check(goal, V::DRAFTS_IN, &mut problems);
        }
        if self.required.has("fielding_period") && !self.in_field {
            problems.extend(must_be_future("fielding_period", draft.settings.fielding_period.start(), now));
        }
        problems.extend(draft.activity_exclusions.iter().filter_map(|it| it.of.problem(None, &self.project)));
        if V::LIVE_URL_AT_ONCE && self.required.has("live_url") && draft.settings.live_url.is_none() {
            let reason = format!("is missing: {} wants an address from the beginning", V::DATE);
            problems.push(FieldError::new("live_url", reason));
        }
        draft.settings.check::<V>(now, &mut problems);
        if let Some(buyer) = &self.buyer {
            buyer.check(&draft.settings, &mut problems);
        }
        Error::check(problems)?;
        Ok((self.client, self.project, self.draft))
    }
}

/// A draft as it stands at Cint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Draft {
    /// Everything but the audience.
    pub settings: DraftSettings,
    /// The draft's short id, for people.
    pub human_readable_id: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// How its interviews are priced.
    pub pricing_model: Option<PricingModel>,
    /// Where the survey can be tried out.
    pub test_survey_link: Option<String>,
    /// The whole draft, for what is not in the settings.
    pub(crate) kept: KeptDraft,
}

impl Draft {
    /// Its audience: a table for each profile. What the draft says in percent is rounded to completes.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for table in group.draft().await?.quotas() {
    ///     println!("{table}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn quotas(&self) -> Vec<QuotaTable> {
        crate::wire::quotas::of_draft(&self.kept.0, self.settings.completes_goal)
    }

    /// The template that its audience comes from, if it comes from one. None before 2025-12-18.
    pub fn template(&self) -> Option<ProfileTemplateId> {
        self.kept.template().map(ProfileTemplateId::new)
    }

    /// Who is to deliver respondents, with the names of the suppliers; nobody has delivered anything yet.
    pub fn allocations(&self) -> Vec<AllocationProgress> {
        crate::wire::supply::of_draft(&self.kept.0)
    }

    /// Whether respondents of the project's other target groups are kept out, if it says so.
    pub fn excludes_project(&self) -> Option<bool> {
        self.kept.0["exclusion"]["enabled"].as_bool()
    }

    /// Whose recent respondents are kept out. None before 2025-12-18.
    pub fn activity_exclusions(&self) -> Vec<ActivityExclusion> {
        crate::wire::re_entry::read_activity(&self.kept.0)
    }

    /// Whether respondents may enter again, if it says so. Not before 2025-12-18.
    pub fn re_entry(&self) -> Option<ReEntry> {
        crate::wire::re_entry::read_configuration(&self.kept.0)
    }
}

/// A draft as it came. Its audience and whatever else is not in the settings go back as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptDraft(pub(crate) Value);

impl KeptDraft {
    /// The template that its audience comes from.
    pub(crate) fn template(&self) -> Option<&str> {
        self.0["profiling"]["template_id"].as_str()
    }

    /// Whether it lists respondents who are kept out.
    pub(crate) fn excludes_by_list(&self) -> bool {
        self.0["exclusion"]["list"].as_array().is_some_and(|list| !list.is_empty())
    }

    /// Whether its quotas are percentages with two decimals.
    pub(crate) fn is_in_hundredths(&self) -> bool {
        self.0["profiling"]["profile_adjustment_type"] == "percentage"
    }
}

impl<V: Version> TargetGroup<V> {
    /// Reads the draft.
    ///
    /// # Errors
    /// The API answers 301 once the target group is launched; see [`details`](Self::details). See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group")]
    pub async fn draft(&self) -> Result<Draft, Error> {
        V::draft(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }

    /// Changes the draft: reads it, applies the change, writes all of it; the audience stays as it is
    /// ([`set_audience`](Self::set_audience) changes that).
    /// The API has no entity tag here: what another client changes between the read and the write is lost.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// group.edit_draft(|draft| draft.completes_goal = 600).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every field that is wrong, before the write. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_target_group")]
    pub async fn edit_draft(&self, change: impl FnOnce(&mut DraftSettings) + Send) -> Result<DraftSettings, Error> {
        let Draft { mut settings, kept, .. } = self.draft().await?;
        let before = settings.clone();
        change(&mut settings);
        let mut problems = checked::<V>(&settings, self.client.now());
        problems.extend(V::unread(&kept, &before, &settings));
        Error::check(problems)?;
        let (raw, account) = (self.client.raw(), self.client.account());
        V::update_draft(raw, account, &self.project, &self.id, &settings, &kept, None).await?;
        Ok(settings)
    }

    /// Puts another audience in the place of the draft's, and changes what else is to change with it, in one write:
    /// an audience in completes adds up to the goal. As with [`edit_draft`](Self::edit_draft), the API has no entity
    /// tag here. Once the target group is launched, this is [`Quotas::replace`](crate::quota::Quotas::replace).
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::audience::{Audience, Question};
    ///
    /// let gender = Question::choice(43).option("1", 40).option("2", 60);
    /// group.set_audience(Audience::independent([gender]), |draft| draft.completes_goal = 600).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every field that is wrong, and every rule that the audience breaks, before the write. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "update_target_group")]
    pub async fn set_audience(
        &self,
        audience: Audience,
        change: impl FnOnce(&mut DraftSettings) + Send,
    ) -> Result<DraftSettings, Error> {
        let Draft { mut settings, kept, .. } = self.draft().await?;
        let before = settings.clone();
        change(&mut settings);
        let mut problems = checked::<V>(&settings, self.client.now());
        problems.extend(V::unread(&kept, &before, &settings));
        audience.solve_ahead(Some(settings.completes_goal), V::DRAFTS_IN).await;
        audience.check(Some(settings.completes_goal), V::DRAFTS_IN, &mut problems);
        Error::check(problems)?;
        let (raw, account) = (self.client.raw(), self.client.account());
        let draft = TargetGroupDraft::new(settings, audience);
        draft.log_warnings::<V>();
        let audience = V::audience(raw, account, &draft).await?;
        V::update_draft(raw, account, &self.project, &self.id, &draft.settings, &kept, Some(audience)).await?;
        Ok(draft.settings)
    }

    /// Makes another draft like this one in the same project, under another name and with whatever else is changed.
    ///
    /// If the answer is lost, the new draft is looked up, as with [`create`](DraftBuilder::create).
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let more = group.duplicate("UK pets, second wave", |draft| draft.completes_goal = 200).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every field that is wrong, before the write: a draft whose field was to begin in the past needs another one;
    /// or the calls'.
    #[doc(alias = "get_target_group")]
    #[doc(alias = "create_target_group")]
    pub async fn duplicate(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut DraftSettings) + Send,
    ) -> Result<Self, Error> {
        let name = name.into();
        let Draft { mut settings, kept, .. } = self.draft().await?;
        let before = settings.clone();
        settings.name = name;
        settings.reference = None;
        change(&mut settings);
        let mut problems = checked::<V>(&settings, self.client.now());
        problems.extend(V::unread(&kept, &before, &settings));
        Error::check(problems)?;
        let is_referred = give_reference::<V>(&mut settings, None);
        let create = |client: Client<V>| {
            let (project, settings, kept) = (&self.project, &settings, &kept);
            async move { V::create_like(client.raw(), client.account(), project, settings, kept).await }
        };
        let id = self.client.create_once(is_referred, create, TargetGroupId::new).await?;
        Ok(Self { client: self.client.clone(), project: self.project.clone(), id })
    }
}

/// Gives a new target group a reference of our own, where the version has one and the buyer gives none: by this it can
/// be found, should the answer be lost.
fn give_reference<V: Version>(settings: &mut DraftSettings, own: Option<String>) -> bool {
    let is_free = V::GROUP_REFERENCE && settings.reference.is_none();
    if is_free {
        settings.reference = Some(own.unwrap_or_else(own_reference));
    }
    is_free
}

fn checked<V: Version>(settings: &DraftSettings, now: Timestamp) -> Vec<FieldError> {
    let mut problems = Vec::from_iter(must_be_future("fielding_period", settings.fielding_period.start(), now));
    settings.check::<V>(now, &mut problems);
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_required_fields_hold_placeholders() {
        let blank = serde_json::to_value(DraftSettings::named("a name".into())).unwrap();
        let held = blank.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()).map(|(field, _)| field);
        let have_a_value = ["name", "collects_pii", "supply", "assistant"];
        let mut placeholders: Vec<&str> =
            held.map(String::as_str).filter(|field| !have_a_value.contains(field)).collect();
        let no_placeholder = ["live_url", "audience"];
        let mut required: Vec<&str> =
            REQUIRED.iter().copied().filter(|field| !no_placeholder.contains(field)).collect();
        placeholders.sort_unstable();
        required.sort_unstable();
        assert_eq!(placeholders, required);
    }
}
