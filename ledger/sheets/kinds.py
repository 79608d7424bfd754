"""The sheets by name."""

from ledger.sheets.devices import Devices
from ledger.sheets.people import Contacts, Duties
from ledger.sheets.places import Establishments, Sites
from ledger.sheets.populations import Populations
from ledger.sheets.regions import Regions
from ledger.sheets.samplings import Samplings
from ledger.sheets.sheet import Sheet
from ledger.sheets.stalls import Stalls
from ledger.sheets.tasks import Tasks

_PLACES = (Regions, Establishments, Sites, Stalls, Devices)
_IN_ORDER = (*_PLACES, Duties, Contacts, Samplings, Populations)
SHEETS: dict[str, type[Sheet]] = {sheet.name: sheet for sheet in _IN_ORDER}
"""In the order in which a new district is set up."""
ROADS: dict[str, type[Sheet]] = SHEETS | {Tasks.name: Tasks}
"""Whatever rows take the sheets' road: besides what is administered, the tasks."""
