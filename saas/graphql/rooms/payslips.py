"""Root field of the payslip on paper."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from functools import partial
from typing import Annotated

import strawberry

from saas.audit import OpenedFields, record_reads
from saas.graphql.fields import Info, query
from saas.graphql.rooms.references import placed_id
from saas.kernel import Catalogue
from saas.payroll import get_readable_payslip
from saas.payroll.pdf import print_payslip
from saas.sealing import Sealer

PAYSLIP = "psl"
PayslipId = Annotated[strawberry.ID, strawberry.argument(description="The payslip (psl_…). Since 0.1.")]


@strawberry.type(description="A payslip as a PDF file. Since 0.1.")
class PayslipPdf:
    """One's own, or one that the caller may read."""

    file_name: str = strawberry.field(description="A name for the file. Since 0.1.")
    content: str = strawberry.field(description="The file's bytes in base64. Since 0.1.")


@query(signed_in=True, description="A payslip as a PDF in the caller's language; needs the right to its document")
async def payslip_pdf(info: Info, id: PayslipId) -> PayslipPdf:  # noqa: A002
    payslip_id = placed_id(id, prefix=PAYSLIP, field=("id",))
    keyring = await info.room(Sealer).keyring(info.actor.tenant_id)
    document = await get_readable_payslip(info.actor, info.rights, payslip_id, keyring)
    await record_reads(info.actor, [OpenedFields("Payslip", payslip_id, ("document",))], clock=info.clock)
    printing = partial(print_payslip, document, catalogue=info.room(Catalogue), locale=info.locale)
    content = await asyncio.to_thread(printing)
    name = f"payslip-{document['month']}-{document['person']['number']}.pdf"
    return PayslipPdf(file_name=name, content=b64encode(content).decode())
