"""What ``/privacy policy`` says: the truth about this very bot, from its settings."""

from services.privacy import Retention
from services.refusals import KEPT
from services.words import _, ngettext


def policy_text(*, service: str, retention: Retention, face_days: int, contact: str | None) -> str:
    """The policy; ``service`` is the host that the photos and prompts are sent to."""
    if retention.history is None:
        history = _("What you asked for is kept until you erase it, so that the buttons under your pictures work.")
    else:
        history = ngettext(
            "What you asked for is forgotten after {number} day; the buttons under those pictures stop working then.",
            "What you asked for is forgotten after {number} days; the buttons under those pictures stop working then.",
            retention.history.days,
        )
    lines = [
        _("**What this bot knows about you**"),
        _(
            "- Your photo is cropped to the face and sent, with your words, to the image service at `{service}`. "
            "The crop stands in the message on Discord; on the bot's own disk nothing of it stays once your request is "
            "over.",
            service=service,
        ),
        _("- A face that you save by name is kept encrypted, for you alone.")
        + " "
        + ngettext(
            "It is deleted when you have not used it for {number} day.",
            "It is deleted when you have not used it for {number} days.",
            face_days,
        ),
        f"- {history}",
        _(
            "- Whose face a photo shows, as you have said, and what you allow others, is kept until you erase it. That "
            "a photo shows somebody else stays, without your name, and so does a *never*."
        ),
        "- "
        + ngettext(
            "That the rules refused a request is kept for {number} day, without its words.",
            "That the rules refused a request is kept for {number} days, without its words.",
            KEPT.days,
        ),
        _("- How many images you used, and when, is counted for good, as bare numbers."),
        "- "
        + ngettext(
            "What moderators did is kept for {number} day, with your number at Discord where it was about you.",
            "What moderators did is kept for {number} days, with your number at Discord where it was about you.",
            retention.audit.days,
        ),
        _("- Nothing is sold or shown to anybody else, and no face is ever recognised or compared."),
        _("`/privacy export` gives you all of it, `/privacy erase` deletes it. Blocks by moderators stay."),
    ]
    if contact:
        lines.append(_("The operator of this bot can be reached here: {contact}", contact=contact))
    return "\n".join(lines)
