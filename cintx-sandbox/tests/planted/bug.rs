//! Mistakes that integrations make, each planted into the pipeline at one
//! place. None of them is seen as long as nothing goes wrong.

/// A planted mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Sends a project without an idempotency key.
    MissingKey,
    /// Tries a project again with another key after its reply was lost.
    FreshKeyOnRetry,
    /// Tries a target group again without looking whether it is there.
    BlindRecreate,
    /// Launches again with another key after the reply was lost.
    DoubleLaunch,
    /// Takes the 201 of a launch for a live group.
    CreatedIsLive,
    /// Takes a failed job for a finished one.
    FailedIsDone,
    /// Goes on with an ETag that an action has replaced.
    StaleEtag,
    /// Lets the HTTP client follow the 301 of a launched group.
    FollowsRedirect,
    /// Reads the first page of a list alone.
    LostPage,
    /// Takes a page that is not full for the last one.
    ShortPage,
    /// Leaves the customer's reference out of an update.
    ForgottenReference,
    /// Forgets the version on one of its calls.
    MissingVersion,
    /// Fetches a token for every call.
    TokenPerCall,
    /// Gives up when a token has expired.
    NoRefresh,
    /// Reads a remaining rate of 0 as used up.
    ZeroIsExhausted,
    /// Tries again at once after a 429.
    RetryStorm,
    /// Swaps over quota and security.
    CrossedCodes,
    /// Sends respondents back before the outcome is accepted.
    EarlyRedirect,
    /// Lets respondents in without looking at their state.
    LetsAnyoneIn,
    /// Tries a transition again whose reply was lost.
    TransitionTwice,
    /// Sends the server-to-server key as a bearer token.
    BearerKey,
    /// Decodes the webhook secret from Base64.
    DecodedSecret,
    /// Counts an event as often as it is delivered.
    CountsDuplicates,
    /// Believes the event that came last instead of the latest one.
    OutOfOrder,
    /// Acknowledges webhooks without naming the event.
    EmptyAck,
    /// Reconciles completes whose time is over.
    PastDeadline,
    /// Sends the completes to turn back as those to keep.
    KeepsTheWrongOnes,
    /// Sends money as a number.
    FloatPrice,
}
