"""What ``/privacy policy`` says: the truth about this very bot, from its settings."""

from cogs.views.generation import cut
from services.consents import ANSWER_MAX
from services.privacy import Retention
from services.refusals import KEPT
from services.words import _, ngettext

# Of a message's 4,000 characters.
CONTACT_CHARACTERS_SHOWN = 500


def policy_text(*, service: str, checker: str | None, retention: Retention, face_days: int, contact: str | None) -> str:
    """The policy; ``service`` is the host that the photos and prompts are sent to, ``checker`` the one that is shown
    every picture before it is posted.
    """
    lines = [
        _("**What this bot knows about you**"),
        _(
            "- Your photo is cropped to the face and sent, with your words, to the image service at `{service}`. The "
            "crop stands in the message on Discord. The bot keeps it only until your request is over; while that waits "
            "for an answer, it is encrypted, for at most {hours} hours.",
            service=service,
            hours=round(ANSWER_MAX.total_seconds() / 3600),
        ),
        _("- The file of a picture that others see tells how it was made, with your words."),
    ]
    if checker:
        lines.append(_("- Every picture is shown to a checker at `{checker}` before it is posted.", checker=checker))
    lines += [
        _("- A face that you save by name is kept encrypted, for you alone.")
        + " "
        + ngettext(
            "It is deleted when you have not used it for {number} day.",
            "It is deleted when you have not used it for {number} days.",
            face_days,
        ),
        f"- {_history(retention)}",
        _(
            "- Whose face a photo shows, as you have said, and what you allow others, is kept until you erase it. That "
            "a photo shows somebody else stays, without your name, and so does a *never*."
        ),
        _("- Photos are told apart by a checksum of the file, never by the face."),
        "- "
        + ngettext(
            "That the rules refused a request is kept for {number} day, without its words.",
            "That the rules refused a request is kept for {number} days, without its words.",
            KEPT.days,
        ),
        _("- How many images you used, and when, is counted for good, as bare numbers."),
        "- "
        + ngettext(
            "Reports, what moderators did, and answers that are of no effect any more are kept for {number} day.",
            "Reports, what moderators did, and answers that are of no effect any more are kept for {number} days.",
            retention.audit.days,
        ),
        _("- Who moderates a server sees what is reported there, and who is refused again and again."),
        _("- Nothing is sold or shown to anybody else, and no face is ever recognised or compared."),
        _("`/privacy export` gives you all of it, `/privacy erase` deletes it. Blocks by moderators stay."),
    ]
    if contact:
        shown = cut(contact, CONTACT_CHARACTERS_SHOWN)
        lines.append(_("The operator of this bot can be reached here: {contact}", contact=shown))
    return "\n".join(lines)


def _history(retention: Retention) -> str:
    if retention.history is None:
        return _("What you asked for is kept until you erase it, so that the buttons under your pictures work.")
    return ngettext(
        "What you asked for is forgotten after {number} day; the buttons under those pictures stop working then.",
        "What you asked for is forgotten after {number} days; the buttons under those pictures stop working then.",
        retention.history.days,
    )
