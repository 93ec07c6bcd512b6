"""The people of a company: employees, departments and legal entities.

Everybody who sells, manages or is paid is an employee here; accounts and sign-in are identity's business.
"""

from saas.people.actions.imports import EmployeeImport
from saas.people.actions.leaves import NewLeave, cancel_leave, enter_leave, shorten_leave
from saas.people.actions.separations import separate_employee
from saas.people.actions.staff import (
    FoundedCompany,
    SealedPhone,
    create_department,
    create_employee,
    found_company,
    link_account,
    seal_phone,
)
from saas.people.columns import StaffBook, find_promised_departments, find_staff
from saas.people.persons import (
    RecordAlike,
    alike_warning,
    find_other_records,
    is_same_person_sql,
    list_people_alike,
)
from saas.people.policies import MY_DEPARTMENT, MY_DEPARTMENT_TREE
from saas.people.queries import (
    ReadableName,
    find_departments,
    find_departments_of,
    find_departments_on,
    find_hire_days,
    find_legal_entities_on,
    find_manager,
    find_on_leave,
    find_parents,
    find_readable_departments,
    find_readable_names,
    find_supervisors,
    get_department,
    get_employee,
    get_root_department,
)
from saas.people.reads import reads
from saas.people.rules import clean_name, clean_optional, name_key, person_name_key

__all__ = [
    "MY_DEPARTMENT",
    "MY_DEPARTMENT_TREE",
    "EmployeeImport",
    "FoundedCompany",
    "NewLeave",
    "ReadableName",
    "RecordAlike",
    "SealedPhone",
    "StaffBook",
    "alike_warning",
    "cancel_leave",
    "clean_name",
    "clean_optional",
    "create_department",
    "create_employee",
    "enter_leave",
    "find_departments",
    "find_departments_of",
    "find_departments_on",
    "find_hire_days",
    "find_legal_entities_on",
    "find_manager",
    "find_on_leave",
    "find_other_records",
    "find_parents",
    "find_promised_departments",
    "find_readable_departments",
    "find_readable_names",
    "find_staff",
    "find_supervisors",
    "found_company",
    "get_department",
    "get_employee",
    "get_root_department",
    "is_same_person_sql",
    "link_account",
    "list_people_alike",
    "name_key",
    "person_name_key",
    "reads",
    "seal_phone",
    "separate_employee",
    "shorten_leave",
]
