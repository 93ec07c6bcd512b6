"""The operations from a company's sheets to its payslips, as a partner would write them."""

from __future__ import annotations

_ERRORS = "userErrors { code field message hint }"

STAGE = f"mutation ($input: ImportStageInput!) {{ importStage(input: $input) {{ batch {{ id }} {_ERRORS} }} }}"
COMMIT = f"mutation ($input: ImportCommitInput!) {{ importCommit(input: $input) {{ batch {{ id }} {_ERRORS} }} }}"
BATCH = """
query ($id: ID!) {
  importBatch(id: $id) {
    state planHash rowCount newCount failedCount appliedCount
    remarks(first: 5) { nodes { rowNumber columnTitle message } }
  }
}"""
DEAL_COUNT = "{ deals(first: 1) { totalCount } }"
POOL = "{ customerPools(first: 1) { nodes { id name } } }"
REPS = "query ($first: Int!) { employees(first: $first, filter: {status: {eq: ACTIVE}}) { nodes { id number name } } }"
ALLOCATIONS = """
query ($pool: ID!) {
  allocations(first: 1, filter: {pool: {eq: $pool}, state: {eq: COMMITTED}}) { nodes { id given customers } }
}"""
PLAN_DRAW = f"""
mutation ($input: AllocationPlanInput!) {{
  allocationPlan(input: $input) {{ allocation {{ id planHash customers commitment }} {_ERRORS} }}
}}"""
COMMIT_DRAW = f"""
mutation ($input: AllocationCommitInput!) {{
  allocationCommit(input: $input) {{ allocation {{ id given picksRoot }} {_ERRORS} }}
}}"""
CERTIFICATE = "query ($id: ID!) { allocationCertificate(allocation: $id) { certificate commitment picksRoot } }"
LEADERS = """
query ($first: Date!, $until: Date!) {
  performanceGroups(
    first: 10, groupBy: EMPLOYEE, orderBy: AMOUNT_SUM_DESC
    filter: {metric: {eq: SIGNED}, happenedOn: {gte: $first, lt: $until}}
  ) { nodes { count employee { id number name department { name } } amount { sum } } }
}"""
PLANS = "{ incentivePlans(first: 5) { nodes { id code } } }"
SAVE_PLAN = (
    f"mutation ($input: IncentivePlanSaveInput!) {{ incentivePlanSave(input: $input) {{ plan {{ id }} {_ERRORS} }} }}"
)
SETTLEMENTS = (
    "query ($plan: ID!) { settlements(first: 1, filter: {plan: {eq: $plan}}) { nodes { id state planHash } } }"
)
_STEP = f"settlement {{ id state planHash }} {_ERRORS}"
CALCULATE = f"mutation ($input: SettlementCalculateInput!) {{ settlementCalculate(input: $input) {{ {_STEP} }} }}"
SETTLEMENT = "query ($id: ID!) { settlement(id: $id) { id state planHash peopleCount lineCount } }"
SUBMIT_SETTLEMENT = f"mutation ($input: SettlementInput!) {{ settlementSubmit(input: $input) {{ {_STEP} }} }}"
APPROVE_SETTLEMENT = f"mutation ($input: SettlementInput!) {{ settlementApprove(input: $input) {{ {_STEP} }} }}"
LOCK_SETTLEMENT = f"mutation ($input: SettlementInput!) {{ settlementLock(input: $input) {{ {_STEP} }} }}"
ENTITY = "{ viewer { employee { id legalEntity { id name } } } }"
PLUGINS = "{ plugins { name isEnabled settingsVersion } }"
ENABLE = f"mutation ($input: PluginSettingsInput!) {{ pluginEnable(input: $input) {{ plugin {{ name }} {_ERRORS} }} }}"
DISABLE = f"mutation ($input: PluginDisableInput!) {{ pluginDisable(input: $input) {{ plugin {{ name }} {_ERRORS} }} }}"
RUNS = """
query { payrollRuns(first: 5) { nodes { id state planHash period { month } } } }"""
OPEN_RUN = f"mutation ($input: PayrollRunOpenInput!) {{ payrollRunOpen(input: $input) {{ run {{ id }} {_ERRORS} }} }}"
RUN = "query ($id: ID!) { payrollRun(id: $id) { state people frozen computed failed planHash } }"
PREVIEW = "query ($id: ID!) { payrollPreview(id: $id) { planHash failed { employeeId name failure } } }"
EXCLUDE = (
    f"mutation ($input: PayrollRunExcludeInput!) {{ payrollRunExclude(input: $input) {{ run {{ id }} {_ERRORS} }} }}"
)
SUBMIT_RUN = (
    f"mutation ($input: PayrollRunInput!) {{ payrollRunSubmit(input: $input) {{ run {{ state }} {_ERRORS} }} }}"
)
APPROVE_RUN = (
    f"mutation ($input: PayrollRunApproveInput!) {{ payrollRunApprove(input: $input) {{ run {{ state }} {_ERRORS} }} }}"
)
LOCK_RUN = f"mutation ($input: PayrollRunInput!) {{ payrollRunLock(input: $input) {{ run {{ state }} {_ERRORS} }} }}"
PUBLISH_RUN = (
    f"mutation ($input: PayrollRunInput!) {{ payrollRunPublish(input: $input) {{ run {{ state }} {_ERRORS} }} }}"
)
TOTALS = """
query ($id: ID!) {
  payrollRun(id: $id) {
    totals(first: 10, filter: {dimension: {eq: LEGAL_ENTITY}}) { nodes { measure people amount } }
  }
}"""
ACCRUALS = """
query ($employee: ID!, $first: Date!, $until: Date!) {
  accruals(first: 2, filter: {employee: {eq: $employee}, happenedOn: {gte: $first, lt: $until}}) {
    totalCount nodes { id deal { number } }
  }
}"""
REASONS = "query ($id: ID!) { accrualExplanation(id: $id) { depth text amount } }"
PAYSLIP = """
query ($month: String!, $employee: ID!) {
  payslips(first: 1, filter: {month: {eq: $month}, employee: {eq: $employee}}) {
    nodes {
      id employee { name number department { name } }
      document {
        month currency gross deductions net
        lines { code title kind amount explanation { depth text amount } } findings { text }
      }
    }
  }
}"""
