//! Target groups: described with a builder, checked before anything is sent, created as drafts, launched.

use crate::audience::Audience;
use crate::client::Client;
use crate::error::{Error, Invalid};
use crate::feasibility::Feasibility;
use crate::fielding::past;
use crate::ids::{BusinessUnitId, ProjectId, TargetGroupId, UserId};
use crate::project::name_problem;
use crate::supply::Supply;
use crate::value::{Given, IncidenceRate, LengthOfInterview, Locale, Money, SurveyUrl, TimeWindow};
use crate::version::Version;

/// A target group as it will be sent, whatever the version.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TargetGroupDraft {
    /// The name.
    pub name: String,
    /// The business unit that buys.
    pub business_unit: BusinessUnitId,
    /// Who answers for it.
    pub manager: UserId,
    /// Language and country, such as `eng_gb`.
    pub locale: Locale,
    /// How many completes are wanted.
    pub completes_goal: u32,
    /// How long the interview takes.
    pub length_of_interview: LengthOfInterview,
    /// The share of respondents who qualify.
    pub incidence_rate: IncidenceRate,
    /// When field begins and ends.
    pub field: TimeWindow,
    /// What a complete costs; `None` for rate cards.
    pub cost_per_interview: Option<Money>,
    /// Where respondents are sent; holds `[%RID%]`.
    pub live_url: SurveyUrl,
    /// Where test respondents are sent; the live address if not set.
    pub test_url: Option<SurveyUrl>,
    /// Whether the survey asks for personal data.
    pub collects_pii: bool,
    /// Who delivers respondents.
    pub supply: Supply,
    /// Who shall be asked.
    pub audience: Audience,
}

/// Describes a target group step by step.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `create`"]
pub struct DraftBuilder<V: Version> {
    client: Client<V>,
    project: ProjectId,
    name: String,
    business_unit: Option<BusinessUnitId>,
    manager: Option<UserId>,
    locale: Option<Locale>,
    completes_goal: Option<u32>,
    length_of_interview: Option<LengthOfInterview>,
    incidence_rate: Option<IncidenceRate>,
    field: Option<TimeWindow>,
    cost_per_interview: Option<Money>,
    live_url: Option<SurveyUrl>,
    test_url: Option<SurveyUrl>,
    collects_pii: bool,
    supply: Supply,
    audience: Option<Audience>,
    problems: Vec<Invalid>,
}

impl<V: Version> DraftBuilder<V> {
    pub(crate) fn new(client: Client<V>, project: ProjectId, name: String) -> Self {
        Self {
            client,
            project,
            name,
            business_unit: None,
            manager: None,
            locale: None,
            completes_goal: None,
            length_of_interview: None,
            incidence_rate: None,
            field: None,
            cost_per_interview: None,
            live_url: None,
            test_url: None,
            collects_pii: false,
            supply: Supply::open_exchange(),
            audience: None,
            problems: Vec::new(),
        }
    }

    /// The business unit that buys. Required.
    pub fn business_unit(mut self, id: impl Into<BusinessUnitId>) -> Self {
        self.business_unit = Some(id.into());
        self
    }

    /// Who answers for it. Required.
    pub fn manager(mut self, manager: UserId) -> Self {
        self.manager = Some(manager);
        self
    }

    /// Language and country as Cint writes them: `eng_gb`, `ger_de`. Required.
    pub fn locale(mut self, locale: impl Given<Locale>) -> Self {
        self.locale = locale.settle("locale", &mut self.problems);
        self
    }

    /// How many completes are wanted. Required; at least 1.
    pub fn completes_goal(mut self, completes: u32) -> Self {
        self.completes_goal = Some(completes);
        self
    }

    /// How long the interview takes: [`minutes(10)`](crate::minutes). Required; 1 to 45 minutes.
    pub fn length_of_interview(mut self, length: impl Given<LengthOfInterview>) -> Self {
        self.length_of_interview = length.settle("length_of_interview", &mut self.problems);
        self
    }

    /// The share of respondents who qualify: `"0.50"`. Required; 0.01 to 1.
    pub fn incidence_rate(mut self, rate: impl Given<IncidenceRate>) -> Self {
        self.incidence_rate = rate.settle("incidence_rate", &mut self.problems);
        self
    }

    /// When field begins and ends. Required; begins in the future.
    pub fn field(mut self, field: impl Given<TimeWindow>) -> Self {
        self.field = field.settle("field", &mut self.problems);
        self
    }

    /// What a complete costs. Only for business units with dynamic pricing, in their currency.
    pub fn cost_per_interview(mut self, price: Money) -> Self {
        self.cost_per_interview = Some(price);
        self
    }

    /// Where respondents are sent: an https address of at most 3,000 characters that holds `[%RID%]`. Required.
    pub fn live_url(mut self, url: impl Given<SurveyUrl>) -> Self {
        self.live_url = url.settle("live_url", &mut self.problems);
        self
    }

    /// Where test respondents are sent; the live address if not set.
    pub fn test_url(mut self, url: impl Given<SurveyUrl>) -> Self {
        self.test_url = url.settle("test_url", &mut self.problems);
        self
    }

    /// Says whether the survey asks for personal data; it does not if not set.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        self.collects_pii = collects;
        self
    }

    /// Who delivers respondents; the open exchange if not set.
    pub fn supply(mut self, supply: Supply) -> Self {
        self.supply = supply;
        self
    }

    /// Who shall be asked. Required.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = Some(audience);
        self
    }

    /// The target group as data, checked.
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once.
    pub fn build(self) -> Result<TargetGroupDraft, Error> {
        self.check().map(|(_, _, draft)| draft)
    }

    /// Asks what can be had for these settings; creates nothing.
    ///
    /// In every version (`calculate_target_group_feasibility`).
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once; or the call's.
    pub async fn feasibility(&self) -> Result<Feasibility, Error> {
        let (client, project, draft) = self.clone().check()?;
        V::feasibility(client.raw(), client.account(), &project, &draft).await
    }

    /// Creates the target group as a draft.
    ///
    /// In every version (`create_target_group`). From 2025-02-17 on this takes no idempotency key:
    /// every request makes a new target group. So it is sent once, with a reference by which it can be found;
    /// if its answer is lost, it is looked up, and only what cannot be found out is an error.
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once, before anything is sent; or the call's.
    pub async fn create(self) -> Result<TargetGroup<V>, Error> {
        let (client, project, draft) = self.check()?;
        let id = match V::create_target_group(client.raw(), client.account(), &project, &draft).await {
            Ok(id) => id,
            Err(error) => client.recover(error, TargetGroupId::new).await?,
        };
        Ok(TargetGroup { client, project, id })
    }

    fn check(mut self) -> Result<(Client<V>, ProjectId, TargetGroupDraft), Error> {
        let mut problems = std::mem::take(&mut self.problems);
        let told = |field: &'static str, problems: &[Invalid]| problems.iter().any(|problem| problem.field() == field);
        problems.extend(name_problem(&self.name));
        macro_rules! required {
            ($field:ident) => {
                if self.$field.is_none() && !told(stringify!($field), &problems) {
                    problems.push(Invalid::new(stringify!($field), "is missing"));
                }
            };
        }
        required!(business_unit);
        required!(manager);
        required!(locale);
        required!(completes_goal);
        required!(length_of_interview);
        required!(incidence_rate);
        required!(field);
        required!(live_url);
        required!(audience);
        if self.completes_goal == Some(0) {
            problems.push(Invalid::new("completes_goal", "is 0, expected at least 1"));
        }
        problems.extend(self.field.and_then(|field| past("field", field.start())));
        if let Some(audience) = &self.audience {
            audience.check(self.completes_goal, &mut problems);
        }
        let (
            true,
            Some(business_unit),
            Some(manager),
            Some(locale),
            Some(completes_goal),
            Some(length_of_interview),
            Some(incidence_rate),
            Some(field),
            Some(live_url),
            Some(audience),
        ) = (
            problems.is_empty(),
            self.business_unit,
            self.manager,
            self.locale,
            self.completes_goal,
            self.length_of_interview,
            self.incidence_rate,
            self.field,
            self.live_url,
            self.audience,
        )
        else {
            return Err(Error::invalid(problems));
        };
        let draft = TargetGroupDraft {
            name: self.name,
            business_unit,
            manager,
            locale,
            completes_goal,
            length_of_interview,
            incidence_rate,
            field,
            cost_per_interview: self.cost_per_interview,
            live_url,
            test_url: self.test_url,
            collects_pii: self.collects_pii,
            supply: self.supply,
            audience,
        };
        Ok((self.client, self.project, draft))
    }
}

/// A target group that exists.
#[derive(Clone, Debug)]
pub struct TargetGroup<V: Version> {
    pub(crate) client: Client<V>,
    pub(crate) project: ProjectId,
    pub(crate) id: TargetGroupId,
}

impl<V: Version> TargetGroup<V> {
    /// Its id.
    pub fn id(&self) -> &TargetGroupId {
        &self.id
    }

    /// The id of its project.
    pub fn project_id(&self) -> &ProjectId {
        &self.project
    }
}
