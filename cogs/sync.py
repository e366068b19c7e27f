"""Giving Discord the commands that this bot offers, where they differ from those that it has."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import discord
from discord import app_commands
from discord.http import Route

log = logging.getLogger(__name__)

# Only global commands have these; and dm_permission repeats what contexts say.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
_NOT_IN_GUILDS = frozenset({"contexts", "integration_types"})
_NOT_COMPARED = frozenset({"dm_permission"})
_TRANSLATIONS = "_localizations"  # what the names of the fields with translations end in


async def sync_commands(client: discord.Client, tree: app_commands.CommandTree[Any], guild_id: int | None) -> None:
    """Make Discord's list, everywhere or in one server, equal to the tree's; leave it where Discord refuses the tree's.

    Raises:
        discord.HTTPException: Discord gave another answer than that.
    """
    where = f"server {guild_id}" if guild_id else "all servers"
    if await are_synced(client, tree, guild_id):
        log.info("the commands of %s are up to date", where)
        return
    guild = discord.Object(guild_id) if guild_id else None
    try:
        await tree.sync(guild=guild)
    except app_commands.CommandSyncFailure as error:
        # A bug in our definitions: whoever is served by the commands that Discord has should not wait for its repair.
        log.error("Discord refused the commands of %s and keeps those that it has: %s", where, error)
        return
    log.info("gave Discord the commands of %s: %d", where, len(tree.get_commands(guild=guild)))


async def are_synced(client: discord.Client, tree: app_commands.CommandTree[Any], guild_id: int | None) -> bool:
    """Whether Discord's list, everywhere or in one server, equals the tree's.

    Raises:
        discord.HTTPException: Discord does not tell.
    """
    application_id = client.application_id
    if application_id is None:
        raise RuntimeError("commands can be compared only after the login")
    theirs = await _theirs(client, application_id, guild_id)
    guild = discord.Object(guild_id) if guild_id else None
    ours = [await _ours(tree, command) for command in tree.get_commands(guild=guild)]
    return same_commands(ours, theirs, in_guild=guild is not None)


async def _theirs(client: discord.Client, application_id: int, guild_id: int | None) -> Sequence[Mapping[str, Any]]:
    """Discord's list with its translations, which ``HTTPClient.get_global_commands`` cannot ask for."""
    inside = f"/guilds/{guild_id}" if guild_id else ""
    route = Route("GET", "/applications/{application_id}" + inside + "/commands", application_id=application_id)
    return await client.http.request(route, params={"with_localizations": "true"})


async def _ours(
    tree: app_commands.CommandTree[Any],
    command: app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu,
) -> dict[str, Any]:
    """As ``CommandTree.sync`` sends it."""
    return await command.get_translated_payload(tree, tree.translator) if tree.translator else command.to_dict(tree)


def same_commands(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], *, in_guild: bool) -> bool:
    """Compare two lists of application commands, whatever their order.

    Discord adds fields of its own to what it was sent and leaves out what is empty, so only our fields count, and
    translations that may be there no longer; and an empty one equals a missing one.
    """
    left_out = _NOT_COMPARED | _NOT_IN_GUILDS if in_guild else _NOT_COMPARED
    by_key = {_key(command): command for command in theirs}
    compared = [{name: value for name, value in command.items() if name not in left_out} for command in ours]
    return len(ours) == len(theirs) and all(_same(command, by_key.get(_key(command))) for command in compared)


def _key(command: Mapping[str, Any]) -> tuple[Any, Any]:
    return command.get("name"), command.get("type", 1)


def _same(ours: object, theirs: object) -> bool:
    if not ours and not theirs:
        return True
    if _is_mapping(ours) and _is_mapping(theirs):
        translations = (name for name in theirs if name.endswith(_TRANSLATIONS))
        return all(
            (ours.get(name) or {}) == (theirs.get(name) or {})
            if name.endswith(_TRANSLATIONS)
            else _same(ours[name], theirs.get(name))
            for name in {*ours, *translations}
        )
    if _is_list(ours) and _is_list(theirs):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    # Permissions are a number on our side and digits on Discord's; and a range may begin at 1.0 here and at 1 there.
    return ours == theirs or str(ours) == str(theirs)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
