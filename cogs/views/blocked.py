"""How ``/server blocked`` looks: who may not ask in a server."""

from collections.abc import Sequence

from cogs.views.generation import as_typed
from services.moderation import Block
from services.words import _, ngettext, on

# A message's text has 2,000 characters: https://discord.com/developers/docs/resources/message#create-message
CHARACTERS_MAX = 1900


def blocked_text(blocks: Sequence[Block]) -> str:
    """Everybody who is blocked, the last first; of too many, the oldest are counted."""
    if not blocks:
        return _("Nobody is blocked in this server.")
    text = f"**{_('Blocked in this server')}**"
    for number, block in enumerate(blocks):
        line = f"\n- {_line(block)}"
        if len(text) + len(line) > CHARACTERS_MAX:
            left = len(blocks) - number
            return f"{text}\n{ngettext('and {number} more', 'and {number} more', left)}"
        text += line
    return text


def _line(block: Block) -> str:
    member, moderator = f"<@{block.member_id}>", f"<@{block.by_id}>"
    parts = [_("{member}, by {moderator} {moment}", member=member, moderator=moderator, moment=on(block.at))]
    if block.until is not None:
        parts.append(_("until {moment}", moment=on(block.until)))
    text = ", ".join(parts)
    return f"{text}: {as_typed(block.reason)}" if block.reason else text
