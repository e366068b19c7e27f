"""What the bot sends, at its longest and in every language, held against the limits that the playground has."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import write_po
from discord import ui

from cogs import history, provenance, server, server_quota, styles
from cogs.views import consent, faces, report
from cogs.views.audit import audit_layout
from cogs.views.blocked import blocked_text
from cogs.views.declaration import person_form
from cogs.views.edit import edit_form
from cogs.views.generation import Frame, faces_layout, layout
from cogs.views.privacy import policy_text
from cogs.views.save_face import save_form
from cogs.views.server_quota import overview_text
from cogs.views.settings import REPORT_PERMISSIONS, Offered, numbers_form, settings_layout
from cogs.views.texts import text_layout
from db.consents import Declaration, DeletedFace
from db.faces import Face
from db.ledger import Grant, Spender
from playground.components import read_components
from playground.drafts import MAX_CONTENT
from playground.modals import read_modal
from playground.validation import Form, Problems
from scripts.words import template
from services import words
from services.consents import LISTED_MAX, Answer, Consent, Listed, Question, Rule, Whose
from services.faces import FACES_MAX, NAME_CHARACTERS_MAX, Saved
from services.faces import Listed as ListedFace
from services.generations import State, Wait, WaitsFor
from services.moderation import Block, Flag, Outcome, Report, Voice
from services.parameters import PROMPT_CHARACTERS_MAX, STEPS
from services.photos import CHOICES_MAX
from services.presenter import Cancelled, Scene, Waiting
from services.privacy import Retention
from services.server_quotas import BONUSES_SHOWN, ROLE_QUOTAS_MAX, TOP_SPENDERS, Overview, RoleQuota, Use
from services.servers import AUDIT_PAGE, AuditPage, Entry, ServerSettings
from services.upkeep import Expiring
from services.wishes import Preset
from tests.cogs.test_views import BALANCE, GENERATION, LATE, WORST_MODEL
from tests.languages import LANGUAGES, MARKED, marked
from tests.wishes import crowded, with_adapters

ID = 2**63 - 1
NAME = "*" * NAME_CHARACTERS_MAX
# Markup, which is shown as typed with a mark before each, and what is several characters long.
PROMPTS = ("*" * PROMPT_CHARACTERS_MAX, "👩🏽‍🚀" * (PROMPT_CHARACTERS_MAX // 4))
PROMPT = PROMPTS[0]
WISH = crowded(with_adapters(PROMPT, count=4, size="1024x1032", seed=2**31 - 1, model=WORST_MODEL))
LONG = dataclasses.replace(
    GENERATION,
    id=10**18 - 1,
    member_id=ID,
    channel_id=ID,
    message_id=ID,
    scope=f"guild:{ID}",
    wish=WISH.to_json(),
    state=State.SETTLED,
)
SETTINGS = ServerSettings(
    channels=tuple(range(ID - 50, ID)),
    roles=tuple(range(ID - 50, ID)),
    model="gone" * 25,
    preset="gone" * 25,
    steps_max=STEPS[1],
    side_px_max=1536,
    report_channel=ID,
    language="de",
    member_queue=1000,
    consent=Rule.SELF,
)
OFFERED = Offered(
    models={f"{n}" * 20: "x" * 100 for n in range(100, 140)},
    presets={f"{n}" * 20: "x" * 100 for n in range(100, 140)},
    rules=list(Rule),
)


def waiting(what: WaitsFor, *, choices: int = 0) -> Waiting:
    return Waiting(wait=Wait(what=what, on=ID, n=3, until=LATE), faces=(b"",) * choices)


def shown(scene: Scene, *, files: int = 0) -> ui.LayoutView:
    frame = Frame(files=[f"choice-{n}.jpg" for n in range(files)], preface="x" * 100)
    return layout(dataclasses.replace(LONG, weight=100), WISH, scene, frame)


def asked() -> Consent:
    return Consent(
        id=10**18 - 1,
        subject_id=ID,
        asker_id=ID,
        scope=f"guild:{ID}",
        generation_id=10**18 - 1,
        message_id=ID,
        answer=Answer.ALWAYS,
        answered_at=LATE,
        revoked_at=None,
    )


def consents() -> ui.LayoutView:
    said = Declaration(member_id=ID, file="f" * 64, crop="c" * 64, whose=Whose.MEMBER, subject_id=ID, at=LATE)
    return consent.list_layout(Listed(answers=[asked()] * LISTED_MAX, declarations=[said] * LISTED_MAX))


def listed_faces() -> ui.LayoutView:
    face = Face(
        id=10**18,
        member_id=ID,
        name=NAME,
        folded=NAME,
        is_default=True,
        locale="de",
        created_at=LATE - timedelta(days=1),
        last_used_at=LATE,
        warned_at=None,
    )
    return faces.listed_layout([ListedFace(face=face, photos=(b"",) * 3, expires_at=LATE)] * FACES_MAX)


def reported(*, has_pictures: bool) -> ui.LayoutView:
    voices = [Voice(member_id=ID, reason="*" * report.REASON_CHARACTERS_MAX, at=LATE)] * 1000
    outcomes = {Outcome.DELETED: ID, Outcome.BLOCKED: ID, Outcome.DISMISSED: ID}
    found = Report(
        id=10**18 - 1,
        guild_id=ID,
        generation_id=10**18 - 1,
        channel_id=ID,
        message_id=ID,
        voices=voices,
        outcomes=outcomes if has_pictures else {},
    )
    return report.report_layout(found, LONG, [f"{n}.png" for n in range(4)] if has_pictures else [])


def audited(action: str, **detail: Any) -> ui.LayoutView:
    entry = Entry(id=10**18 - 1, member_id=ID, action=action, subject_id=ID, detail=detail, at=LATE)
    return audit_layout(AuditPage(entries=[entry] * AUDIT_PAGE, has_newer=True, has_older=True))


def audited_settings() -> ui.LayoutView:
    before = dict.fromkeys(dataclasses.asdict(SETTINGS))
    changed = {name: {"from": before[name], "to": value} for name, value in dataclasses.asdict(SETTINGS).items()}
    return audited("settings", **changed)


def quotas() -> ui.LayoutView:
    grant = Grant(id=1, images=1_000_000, expires_at=LATE, reason="*" * server_quota.REASON_CHARACTERS_MAX)
    text = overview_text(
        Overview(
            quota=BALANCE.quota,
            role_quotas=[RoleQuota(role_id=ID, images=1_000_000, hours=8783)] * ROLE_QUOTAS_MAX,
            uses=[Use(window=timedelta(days=30), used=100_000_000, images=100_000_000)] * 2,
            cooldown=timedelta(seconds=86_399),
            bonuses=[(ID, grant)] * BONUSES_SHOWN,
            spenders=[Spender(member_id=ID, images=100_000_000)] * TOP_SPENDERS,
        ),
        lambda _id: "x" * 100,
    )
    return text_layout(text)


def blocked() -> str:
    block = Block(guild_id=ID, member_id=ID, by_id=ID, reason="*" * server.REASON_CHARACTERS_MAX, at=LATE, until=LATE)
    return blocked_text([block] * 1000)


def presets() -> str:
    one = Preset(name="*" * 50, prompt="{prompt}", description="*" * 100)
    return styles.listed([one] * 100)


SENT: dict[str, Callable[[], ui.LayoutView | ui.Modal | str]] = {
    "whose face it is": lambda: shown(waiting(WaitsFor.DECLARATION)),
    "whether they agree": lambda: shown(waiting(WaitsFor.CONSENT)),
    "which face, privately": lambda: shown(waiting(WaitsFor.FACE, choices=CHOICES_MAX), files=CHOICES_MAX),
    "which face": lambda: faces_layout(
        LONG, WISH, waiting(WaitsFor.FACE, choices=CHOICES_MAX), [f"choice-{n}.jpg" for n in range(CHOICES_MAX)]
    ),
    "cancelled": lambda: shown(Cancelled(refunded=400)),
    "question": lambda: consent.question_layout(Question(consent=asked(), generation=LONG, photos=[1, 2, 3])),
    "answered": lambda: text_layout(consent.answered_text(ID, Answer.ALWAYS)),
    "consents": consents,
    "taken back": lambda: consent.wipe_layout("x" * 1000, asker_id=ID, messages=10_000),
    "saved faces": listed_faces,
    "report with pictures": lambda: reported(has_pictures=True),
    "report": lambda: reported(has_pictures=False),
    "audit of settings": audited_settings,
    "audit of blocks": lambda: audited("block", until=10**11, reason="*" * server.REASON_CHARACTERS_MAX),
    "audit of bonuses": lambda: audited("grant", images=1, days=1, reason="*" * server_quota.REASON_CHARACTERS_MAX),
    "settings": lambda: settings_layout(SETTINGS, OFFERED, frozenset(), lacking=REPORT_PERMISSIONS),
    "settings of what is gone": lambda: settings_layout(
        SETTINGS, OFFERED, frozenset({*SETTINGS.channels, *SETTINGS.roles})
    ),
    "quotas": quotas,
    "blocked": blocked,
    "presets": presets,
    "policy": lambda: text_layout(
        policy_text(
            service="x" * 253,
            checker="x" * 253,
            retention=Retention(history=timedelta(days=365), audit=timedelta(days=365)),
            face_days=365,
            contact="x" * 2000,
        )
    ),
    "flag": lambda: report.flag_text(Flag(member_id=ID, category="minors", times=1000)),
    "saved": lambda: faces.saved_text(Saved(name=NAME, photos=3, checked=False), timedelta(days=365)),
    "expiring": lambda: faces.expiring_text([Expiring(NAME, LATE)] * FACES_MAX),
    "revoked": lambda: faces.revoked_text(DeletedFace(member_id=ID, name=NAME)),
    "who made this": lambda: provenance.answer(LONG),
    "use this prompt": lambda: history.prompt_of(LONG),
    "form: person": lambda: person_form(10**18 - 1),
    "form: report": lambda: report.report_form(10**18 - 1),
    "form: face": lambda: save_form(10**18 - 1, {n: words.spoken() for n in range(3)}, are_there=True),
    "form: face that is gone": lambda: save_form(10**18 - 1, {0: ""}, are_there=False),
    "form: edit": lambda: edit_form(10**18 - 1, WISH, is_face_there=False),
    "form: numbers": lambda: numbers_form(SETTINGS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue of the language in which everything is marked, and so a little longer than English."""
    language = MARKED.partition("-")[0]
    path = tmp_path_factory.mktemp("locales") / f"{language}.po"
    with path.open("wb") as file:
        write_po(file, marked(template(), language))
    return path.parent


@pytest.fixture(params=[*LANGUAGES, MARKED])
def language(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == MARKED:
        monkeypatch.setattr(words, "CATALOGUES", folder)
        monkeypatch.setattr(words, "_catalogues", {})
        words.load_catalogues()
    return request.param


@pytest.mark.parametrize("what", SENT)
async def test_discord_takes_it_in_every_language(what: str, language: str) -> None:
    with words.speaking(language):
        sent = SENT[what]()

    assert wrong_with(sent) == {}


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_no_prompt_breaks_the_question(prompt: str, language: str) -> None:
    generation = dataclasses.replace(LONG, wish=dataclasses.replace(WISH, prompt=prompt).to_json())
    with words.speaking(language):
        sent = consent.question_layout(Question(consent=asked(), generation=generation, photos=[1]))

    assert wrong_with(sent) == {}


def wrong_with(sent: ui.LayoutView | ui.Modal | str) -> dict[str, Any]:
    """What the playground refuses of it, which is what Discord refuses, by where it stands."""
    problems = Problems()
    match sent:
        case str():
            Form({"content": sent}, problems).text("content", least=1, most=MAX_CONTENT)
        case ui.Modal():
            read_modal(Form(sent.to_dict(), problems))
        case ui.LayoutView():
            read_components(Form({"components": sent.to_components()}, problems), layout=True)
    return problems.tree
