"""How structures, periods, runs, totals and payslips are read."""

from __future__ import annotations

from saas.payroll.policies import (
    PAY_PERIOD_SCOPES,
    PAYSLIP_SCOPES,
    RUN_SCOPES,
    STRUCTURE_SCOPES,
    TOTAL_SCOPES,
)
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    EnumKind,
    ListRoot,
    Member,
    Members,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    SealedDocument,
    Told,
    ToMany,
    ToOne,
)

PERIOD_STATE = EnumKind(
    "PayPeriodState",
    "Whether a pay period still changes.",
    {
        "OPEN": ("open", "Its run is not locked yet."),
        "CLOSED": ("closed", "Locked: corrections are later lines (封账)."),
    },
)
RUN_STATE = EnumKind(
    "PayrollRunState",
    "Where a payroll run stands.",
    {
        "DRAFT": ("draft", "Inputs are being frozen, or payslips computed."),
        "COMPUTED": ("computed", "Ready to be looked at."),
        "IN_REVIEW": ("in_review", "Waits for a second person."),
        "APPROVED": ("approved", "A second person agreed on its plan."),
        "LOCKED": ("locked", "Closed for good (封账)."),
        "PUBLISHED": ("published", "Everybody can read their own payslip."),
        "CANCELLED": ("cancelled", "Given up."),
    },
)
RUN_STAGE = EnumKind(
    "PayrollRunStage",
    "What the jobs of a draft are at.",
    {
        "FREEZING": ("freezing", "Inputs are being frozen."),
        "FROZEN": ("frozen", "All inputs are frozen."),
        "COMPUTING": ("computing", "Payslips are being computed."),
        "DONE": ("done", "Nothing is left to do."),
    },
)
PAYSLIP_STATE = EnumKind(
    "PayslipState",
    "Whether a payslip is paid.",
    {
        "OK": ("ok", "It is paid."),
        "FAILED": ("failed", "It could not be computed, or a finding blocks it."),
        "EXCLUDED": ("excluded", "Left out of the run, for a reason."),
    },
)
LINE_KIND = EnumKind(
    "PayslipLineKind",
    "What a line does to net pay.",
    {
        "EARNING": ("EARNING", "Earned (应发)."),
        "DEDUCTION": ("DEDUCTION", "Taken off (扣款)."),
        "CONTRIBUTION": ("CONTRIBUTION", "The person's share of social insurance and housing fund."),
        "TAX": ("TAX", "Income tax withheld (个税)."),
        "EMPLOYER_COST": ("EMPLOYER_COST", "Borne by the employer on top; not part of net pay."),
        "STATISTIC": ("STATISTIC", "Computed, not paid."),
    },
)
TOTAL_DIMENSION = EnumKind(
    "PayrollTotalDimension",
    "What a total is of.",
    {
        "LEGAL_ENTITY": ("legal_entity", "The whole run; the subject is the legal entity's id without prefix."),
        "DEPARTMENT": ("department", "A department; the subject is its id without prefix."),
        "COMPONENT": ("component", "A component of pay; the subject is its code."),
    },
)
TOTAL_MEASURE = EnumKind(
    "PayrollTotalMeasure",
    "What is added up.",
    {
        "AMOUNT": ("amount", "A component's amounts."),
        "GROSS": ("gross", "Gross pay (应发)."),
        "CONTRIBUTIONS": ("contributions", "The people's shares of social insurance and housing fund."),
        "TAX": ("tax", "Income tax withheld."),
        "NET": ("net", "Net pay (实发)."),
        "EMPLOYER_COST": ("employer_cost", "What the employer bears on top."),
    },
)

structure = ReadType(
    name="SalaryStructure",
    table="salary_structure",
    prefix="sst",
    doc="A salary structure (薪资结构) by its code.",
    scopes=STRUCTURE_SCOPES,
    fields=(
        Column("code", ScalarKind.STRING, "code", "Its code, unique in the company.", filters=EXACT, orderable=True),
        Column("titleZh", ScalarKind.STRING, "title_zh", "Chinese title."),
        Column("titleEn", ScalarKind.STRING, "title_en", "English title."),
        Column("version", ScalarKind.INT, "version", "Rises with every save; saving asks for it."),
        ToMany("versions", "SalaryStructureVersion", "structure_id", "VALID_FROM_DESC", "What it says, from when on."),
    ),
)

structure_version = ReadType(
    name="SalaryStructureVersion",
    table="salary_structure_version",
    prefix="ssv",
    doc="What a salary structure says from a day on; never edited.",
    scopes=STRUCTURE_SCOPES,
    fields=(
        Column("validFrom", ScalarKind.DATE, "valid_from", "First day.", orderable=True),
        Column("validTo", ScalarKind.DATE, "valid_to", "First day on which it holds no more; null while it does."),
        Column("supersededAt", ScalarKind.DATETIME, "superseded_at", "When another version took its place."),
        Column("hash", ScalarKind.STRING, "hash", "SHA-256 of its canonical text; payslips name it."),
        Column("document", ScalarKind.STRING, "document", "Its canonical text: JSON."),
        Column("reason", ScalarKind.STRING, "reason", "Why it was saved."),
    ),
)

period = ReadType(
    name="PayPeriod",
    table="pay_period",
    prefix="ppd",
    doc="A month of a legal entity (计薪周期).",
    scopes=PAY_PERIOD_SCOPES,
    fields=(
        Column("month", ScalarKind.STRING, "month", "YYYY-MM.", orderable=True, filters=EXACT),
        Column("paysOn", ScalarKind.DATE, "pays_on", "Day of payment; the tax month is its month."),
        Column("state", PERIOD_STATE, "state", "Whether it still changes.", structural=True),
        ToOne("legalEntity", "LegalEntity", "legal_entity_id", "Whose month.", filters=EXACT),
        ToMany("runs", "PayrollRun", "pay_period_id", "OPENED_AT_DESC", "Its runs, the cancelled ones too."),
    ),
)

run = ReadType(
    name="PayrollRun",
    table="payroll_run",
    prefix="prn",
    doc="A payroll run (算薪批次) with its progress.",
    scopes=RUN_SCOPES,
    fields=(
        Column("state", RUN_STATE, "state", "Where it stands.", structural=True, filters=EXACT),
        Column("stage", RUN_STAGE, "stage", "What its jobs are at.", structural=True),
        ToOne("period", "PayPeriod", "pay_period_id", "Whose pay it is.", filters=EXACT),
        ToOne("legalEntity", "LegalEntity", "legal_entity_id", "Who pays."),
        Column("people", ScalarKind.INT, "people", "How many people it is about."),
        Column("frozen", ScalarKind.INT, "frozen", "Whose inputs are frozen."),
        Column("computed", ScalarKind.INT, "computed", "Whose payslips are computed."),
        Column("failed", ScalarKind.INT, "failed", "Whose payslips failed."),
        Column("excluded", ScalarKind.INT, "excluded", "Who is left out."),
        Column("planHash", ScalarKind.STRING, "plan_hash", "Over every input, version and payslip; approval names it."),
        Column("calculation", ScalarKind.STRING, "calculation", "The version of the calculations."),
        Column(
            "takesOpenSettlements",
            ScalarKind.BOOLEAN,
            "takes_open_settlements",
            "Whether it took in commission that was not locked; then it is approved when that is.",
        ),
        Column("pack", ScalarKind.STRING, "pack", "The country pack; null without one."),
        Column("packVersion", ScalarKind.STRING, "pack_version", "Its version when the run was opened."),
        Column(
            "openedAt", ScalarKind.DATETIME, "opened_at", "Inputs count as known then.", orderable=True, filters=RANGE
        ),
        Column("computedAt", ScalarKind.DATETIME, "computed_at", "When it was computed last."),
        Column("approvedAt", ScalarKind.DATETIME, "approved_at", "When a second person agreed."),
        Column("lockedAt", ScalarKind.DATETIME, "locked_at", "When it was closed."),
        Column("publishedAt", ScalarKind.DATETIME, "published_at", "When its payslips could be read."),
        Column("reason", ScalarKind.STRING, "reason", "Why it was cancelled or sent back."),
        ToMany("totals", "PayrollTotal", "run_id", "SUBJECT_ASC", "Its totals."),
        ToMany("payslips", "Payslip", "run_id", "MONTH_ASC", "Its payslips that the caller may see."),
    ),
)

total = ReadType(
    name="PayrollTotal",
    table="payroll_total",
    prefix="ptt",
    doc="A total of a payroll run; without an amount where fewer than five people could be told from it",
    scopes=TOTAL_SCOPES,
    fields=(
        Column("dimension", TOTAL_DIMENSION, "dimension", "What it is of.", structural=True, filters=EXACT),
        Column("subject", ScalarKind.STRING, "key", "Which one.", orderable=True, filters=EXACT),
        Column("measure", TOTAL_MEASURE, "measure", "What is added up.", structural=True),
        Column("people", ScalarKind.INT, "people", "Of how many people."),
        Column("amount", ScalarKind.AMOUNT, "amount_minor", "The total; null where it is hidden."),
    ),
)

LINE_MEMBERS: tuple[Member, ...] = (
    Member("code", ScalarKind.STRING, "code", "The component's code, or a pack's code."),
    Member("title", Told.TITLE, "titles", "Title in the caller's language."),
    Member("kind", LINE_KIND, "kind", "What it does to net pay."),
    Member("amount", ScalarKind.DECIMAL, "amount", "The amount, always as it is shown: a deduction is positive."),
    Member("formula", ScalarKind.STRING, "formula", "The formula that gave it; null where none did."),
    Member("explanation", Told.EXPLANATION, "explanation", "How it came about."),
)
FINDING_MEMBERS: tuple[Member, ...] = (
    Member("key", ScalarKind.STRING, "key", "The sentence's key."),
    Member("text", Told.SENTENCE, "", "The fact, in the caller's language."),
)
payslip_document = SealedDocument(
    "document",
    "PayslipDocument",
    "document_sealed",
    (
        Member("month", ScalarKind.STRING, "month", "YYYY-MM."),
        Member("paysOn", ScalarKind.DATE, "paysOn", "Day of payment."),
        Member("currency", ScalarKind.STRING, "currency", "ISO 4217."),
        Member("gross", ScalarKind.DECIMAL, "gross", "Gross pay (应发)."),
        Member("deductions", ScalarKind.DECIMAL, "deductions", "All that is taken off."),
        Member("net", ScalarKind.DECIMAL, "net", "Net pay (实发)."),
        Member("employerCost", ScalarKind.DECIMAL, "employerCost", "What the employer bears on top."),
        Members("lines", "PayslipLine", "lines", LINE_MEMBERS, 1_000, "A line of a payslip."),
        Members(
            "findings",
            "PayslipFinding",
            "findings",
            (*FINDING_MEMBERS, Member("isBlocking", ScalarKind.BOOLEAN, "isBlocking", "Whether it keeps it from pay.")),
            1_000,
            "What was noticed.",
        ),
        Members("failures", "PayslipFailure", "failures", FINDING_MEMBERS, 1_000, "Why it could not be computed."),
    ),
    "The payslip itself: sealed, opened for who may read it.",
)

payslip = ReadType(
    name="Payslip",
    table="payslip",
    prefix="psl",
    doc="One person's payslip (工资条) of a run.",
    scopes=PAYSLIP_SCOPES,
    fields=(
        Column("state", PAYSLIP_STATE, "state", "Whether it is paid.", structural=True, filters=EXACT),
        Column("month", ScalarKind.STRING, "month", "YYYY-MM.", orderable=True, filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "Whose.", filters=EXACT),
        ToOne("department", "Department", "department_id", "Of which department, when inputs were frozen."),
        ToOne("run", "PayrollRun", "run_id", "Of which run.", filters=EXACT),
        Column("failure", ScalarKind.STRING, "failure", "Key of what failed first; amounts stand in the document."),
        Column("exclusion", ScalarKind.STRING, "exclusion", "Why the person was left out."),
        Column("publishedAt", ScalarKind.DATETIME, "published_at", "Since when the person can read it."),
        payslip_document,
    ),
)

reads = RoomReads(
    types=(structure, structure_version, period, run, total, payslip),
    roots=(
        OneRoot("salaryStructure", "SalaryStructure", "A salary structure by id."),
        ListRoot("salaryStructures", "SalaryStructure", "CODE_ASC", "The company's salary structures."),
        ListRoot("payPeriods", "PayPeriod", "MONTH_DESC", "The pay periods, the latest first."),
        OneRoot("payrollRun", "PayrollRun", "A payroll run by id."),
        ListRoot("payrollRuns", "PayrollRun", "OPENED_AT_DESC", "The payroll runs, the latest first."),
        OneRoot("payslip", "Payslip", "A payslip by id."),
        ListRoot("payslips", "Payslip", "MONTH_DESC", "The payslips the caller may see: one's own, once published."),
    ),
)
