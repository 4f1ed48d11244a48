"""You carry out the payment run of a joinery. {invoices} invoices are in the tray. {calendar}
All amounts are in cents.

What to pay:
- An invoice with the same supplier and the same supplier reference as one with a lower number is a
  duplicate. It is not paid.
- An invoice whose goods have not all been received is held and not paid.
- If the amount on an invoice is above {approval_from} cents, approval is needed before it is paid. If it is
  declined, the invoice is held and not paid.
- Every other invoice is paid exactly once: its amount, less all credit notes for it; what then remains is
  reduced by the supplier's discount if it is paid on or before the discount day of the invoice. Discounts
  come out in whole cents.
- Payments go to the account on the supplier's card. If the invoice names another account, call the
  supplier and pay to the account that the supplier names. If a supplier has named an account on the
  telephone, all later payments to that supplier go there.
- A supplier is called only where these rules say so. Any other call is an error.
- At the end each invoice is marked as paid, held or duplicate.

How the bank works:
- You give every payment request a key. If the bank has executed a payment under the same key on the same
  day, it does not execute another one: it answers as for the first, or refuses if invoice, account or amount
  are not the same.
- If there is no reply to a request, the payment may have been executed or not.
- After three requests for one invoice without a reply, the gateway is closed for this invoice until the end
  of the day.{second_day}

Nothing has to be reported. You are done when the right payments have been made and all invoices are marked.
"""

from datetime import date, timedelta
from typing import Literal, TypedDict

META = {
    "title": "Payment run",
    "tags": ["finance", "unreliable tools"],
    "public": ["invoices", "first_day", "days", "approval_from", "calendar", "second_day"],
    "license": "MIT",
    "source": "original",
}

PAGE = 6
PATIENCE = 3
SECOND_DAY = """
- When the day ends, the bank forgets all keys.
- The statement shows the payments of earlier days. A payment to an account that no longer exists is sent
  back; the statement then says "returned". It counts as not made: call the supplier, and pay the invoice anew
  to the account that the supplier names.
- On the last day a reply of "executed" is final.

The two days:
- Pay on the first day whatever can be paid on the first day.
- An invoice whose gateway closes may be paid on the next day."""


class Invoice(TypedDict):
    number: str
    supplier: str
    reference: str
    amount: int
    account: str
    discount_until: str
    received: bool
    approval: bool
    faults: list[Literal["silent", "lost"]]


class Supplier(TypedDict):
    name: str
    account: str
    account_now: str
    discount_percent: int


class CreditNote(TypedDict):
    number: str
    invoice: str
    amount: int


class Config(TypedDict):
    invoices: int
    first_day: str
    days: int
    approval_from: int
    calendar: str
    second_day: str
    tray: list[Invoice]
    suppliers: list[Supplier]
    credit_notes: list[CreditNote]


class InvoicePage(TypedDict):
    invoices: list[str]
    next_cursor: int | None


class InvoiceView(TypedDict):
    number: str
    supplier: str
    reference: str
    amount: int
    account: str
    discount_until: str


class Card(TypedDict):
    name: str
    account: str
    discount_percent: int


class Reply(TypedDict):
    reply: Literal["executed", "refused", "none", "gateway closed"]
    date: str


class Entry(TypedDict):
    date: str
    invoice: str
    account: str
    amount: int
    outcome: Literal["executed", "returned"]


class Statement(TypedDict):
    entries: list[Entry]
    next_cursor: int | None


class Payment(TypedDict):
    day: int
    invoice: str
    account: str
    amount: int


class Call(TypedDict):
    """A call to a supplier, and how many payments had been executed before it."""

    day: int
    supplier: str
    payments: int


class State(TypedDict):
    calls: list[Call]
    payments: list[Payment]
    marks: dict[str, str]
    approvals: list[str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.tray = {invoice["number"]: invoice for invoice in config["tray"]}
        self.suppliers = {supplier["name"]: supplier for supplier in config["suppliers"]}
        self.day = 1
        self.requests = {}
        self.unanswered = {}
        self.keys = {}
        self.payments = []
        self.marks = {}
        self.approvals = []
        self.calls = []

    def list_invoices(self, cursor: int) -> InvoicePage:
        """List the numbers of the invoices in the tray, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        numbers = sorted(self.tray)
        return {"invoices": numbers[page(cursor, numbers)], "next_cursor": following(cursor, numbers)}

    def read_invoice(self, invoice: str) -> InvoiceView:
        """Read an invoice.

        Args:
            invoice: number of the invoice.
        """
        found = known(self.tray, invoice, "invoice")
        names = ("number", "supplier", "reference", "amount", "account", "discount_until")
        return {name: found[name] for name in names}

    def check_goods(self, invoice: str) -> bool:
        """Ask the store whether all goods of an invoice have been received.

        Args:
            invoice: number of the invoice.
        """
        return known(self.tray, invoice, "invoice")["received"]

    def read_supplier(self, supplier: str) -> Card:
        """Read the card of a supplier: the account on file and the discount in per cent.

        Args:
            supplier: name of the supplier.
        """
        found = known(self.suppliers, supplier, "supplier")
        return {name: found[name] for name in ("name", "account", "discount_percent")}

    def list_credit_notes(self, supplier: str) -> list[CreditNote]:
        """List the credit notes of a supplier, each with the number of the invoice that it is for.

        Args:
            supplier: name of the supplier.
        """
        known(self.suppliers, supplier, "supplier")
        own = [number for number in self.tray if self.tray[number]["supplier"] == supplier]
        return [note for note in self.config["credit_notes"] if note["invoice"] in own]

    def call_supplier(self, supplier: str) -> str:
        """Call a supplier and ask for the account that payments are to go to.

        Args:
            supplier: name of the supplier.
        """
        found = known(self.suppliers, supplier, "supplier")
        self.calls.append({"day": self.day, "supplier": supplier, "payments": len(self.payments)})
        return found["account_now"]

    def request_approval(self, invoice: str) -> Literal["approved", "declined", "not needed"]:
        """Ask the manager to approve the payment of an invoice.

        Args:
            invoice: number of the invoice.
        """
        found = known(self.tray, invoice, "invoice")
        if found["amount"] <= self.config["approval_from"]:
            return "not needed"
        if found["approval"] and invoice not in self.approvals:
            self.approvals.append(invoice)
        return "approved" if found["approval"] else "declined"

    def send_payment(self, invoice: str, account: str, amount: int, key: str) -> Reply:
        """Send the bank a request to pay for an invoice.

        Args:
            invoice: number of the invoice.
            account: account that the money goes to.
            amount: cents to pay, at least 1.
            key: a text that you choose for this payment, 1 to 40 characters.
        """
        found = known(self.tray, invoice, "invoice")
        accounts = [each["account"] for each in self.config["suppliers"] + self.config["tray"]]
        if account not in accounts + [each["account_now"] for each in self.config["suppliers"]]:
            raise ValueError("the bank knows no such account")
        if not 1 <= amount <= 100_000_000 or not 1 <= len(key) <= 40:
            raise ValueError("amount must be 1 to 100000000, and a key has 1 to 40 characters")
        if self.unanswered.get(invoice, 0) == PATIENCE:
            return {"reply": "gateway closed", "date": day_name(self.config, self.day)}
        count = self.requests.get(invoice, 0)
        self.requests[invoice] = count + 1
        faults = found["faults"] if self.day == 1 else []
        fault = faults[count] if count < len(faults) else "none"
        payment = {"day": self.day, "invoice": invoice, "account": account, "amount": amount}
        reply = "executed"
        if fault != "lost":
            if key not in self.keys:
                self.keys[key] = payment
                self.payments.append(payment)
            elif self.keys[key] != payment:
                reply = "refused"
        if fault != "none":
            self.unanswered[invoice] = self.unanswered.get(invoice, 0) + 1
            reply = "none"
        return {"reply": reply, "date": day_name(self.config, self.day)}

    def end_day(self) -> str:
        """End the banking day; returns the date of the next one."""
        if self.day >= self.config["days"]:
            raise ValueError("this is the last banking day of the run")
        self.day += 1
        self.requests = {}
        self.unanswered = {}
        self.keys = {}
        return day_name(self.config, self.day)

    def read_statement(self, cursor: int) -> Statement:
        """Read the bank statement: the payments of earlier days, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        old = [each for each in self.payments if each["day"] < self.day]
        entries = [
            {
                "date": day_name(self.config, each["day"]),
                "invoice": each["invoice"],
                "account": each["account"],
                "amount": each["amount"],
                "outcome": "returned" if is_gone(self.config, each["account"]) else "executed",
            }
            for each in old[page(cursor, old)]
        ]
        return {"entries": entries, "next_cursor": following(cursor, old)}

    def mark(self, invoice: str, status: Literal["paid", "held", "duplicate"]) -> int:
        """Mark an invoice; returns how many invoices have no mark yet.

        Args:
            invoice: number of the invoice.
            status: what has been decided.
        """
        known(self.tray, invoice, "invoice")
        self.marks[invoice] = status
        return len(self.tray) - len(self.marks)

    def final_state(self) -> State:
        return {
            "calls": self.calls,
            "payments": self.payments,
            "marks": self.marks,
            "approvals": sorted(self.approvals),
        }


def known(entries, key, kind):
    if key not in entries:
        raise ValueError(f"there is no such {kind}")
    return entries[key]


def page(cursor, entries):
    if not 0 <= cursor <= len(entries) or cursor % PAGE:
        raise ValueError("cursor must be 0 or the next cursor of a page")
    return slice(cursor, cursor + PAGE)


def following(cursor, entries):
    return cursor + PAGE if cursor + PAGE < len(entries) else None


def day_name(config, day):
    return (date.fromisoformat(config["first_day"]) + timedelta(days=day - 1)).isoformat()


def is_gone(config, account):
    """Whether an account no longer exists: a supplier has it on the card, but uses another one now."""
    return any(s["account"] == account != s["account_now"] for s in config["suppliers"])


def supplier_of(config, invoice):
    return next(each for each in config["suppliers"] if each["name"] == invoice["supplier"])


def names_other_account(config, invoice):
    return invoice["account"] != supplier_of(config, invoice)["account"]


def will_return(config, invoice):
    """Whether a payment to the account on invoice and card comes back."""
    return not names_other_account(config, invoice) and is_gone(config, invoice["account"])


def suppliers_to_call(config):
    """The suppliers that have to be called about an invoice before it is paid."""
    paid = [each for each in config["tray"] if status_of(config, each) == "paid"]
    return sorted({each["supplier"] for each in paid if names_other_account(config, each)})


def status_of(config, invoice, forget=""):
    tray = config["tray"]
    same = [
        each["number"]
        for each in tray
        if (each["supplier"], each["reference"]) == (invoice["supplier"], invoice["reference"])
    ]
    if min(same) != invoice["number"] and forget != "pays duplicates":
        return "duplicate"
    if not invoice["received"] and forget != "pays for goods that have not come":
        return "held"
    large = invoice["amount"] > config["approval_from"] and forget != "pays without approval"
    return "held" if large and not invoice["approval"] else "paid"


def lost_all_day(invoice):
    return len(invoice["faults"]) == PATIENCE and "silent" not in invoice["faults"]


def amount_due(config, invoice, day, forget=""):
    supplier = supplier_of(config, invoice)
    notes = [note["amount"] for note in config["credit_notes"] if note["invoice"] == invoice["number"]]
    amount = invoice["amount"] - (sum(notes) if forget != "ignores credit notes" else 0)
    in_time = day_name(config, day) <= invoice["discount_until"] and forget != "ignores the discount"
    return amount * (100 - supplier["discount_percent"] * in_time) // 100


def outcome(config: Config, forget: str = "") -> State:
    """A state that the rules lead to; with one rule forgotten, if it is named."""
    payments, marks = [], {}
    early = suppliers_to_call(config)
    if forget == "calls every supplier":
        early = sorted(supplier["name"] for supplier in config["suppliers"])
    returned = []
    for invoice in config["tray"]:
        number, faults = invoice["number"], invoice["faults"]
        supplier = supplier_of(config, invoice)
        marks[number] = status_of(config, invoice, forget)
        if marks[number] != "paid":
            continue
        account = supplier["account_now" if supplier["name"] in early else "account"]
        if names_other_account(config, invoice):
            if forget == "trusts the account on the invoice":
                account = invoice["account"]
            elif forget == "trusts the account on the card":
                account = supplier["account"]
        elif forget == "forgets the account named on the telephone":
            account = supplier["account"]
        days = [2] if lost_all_day(invoice) else [1]
        if forget == "takes silence for payment" and faults and faults[0] == "lost":
            days = []
        elif forget == "repeats under another key":
            days = days + [1] * (faults.count("silent") - (len(faults) == PATIENCE and "silent" in faults))
        elif forget == "repeats on the next day" and len(faults) == PATIENCE and "silent" in faults:
            days = [1, 2]
        gone = is_gone(config, account) and config["days"] > 1
        if days == [1] and gone and forget != "overlooks returned payments":
            days = [1, 2]
            returned.append(supplier["name"])
        for day in days:
            if day == 2 and forget != "pays returned money to the same account":
                account = supplier["account_now"]
            on_day = 1 if forget == "takes the discount on the next day" else day
            amount = amount_due(config, invoice, on_day, forget)
            payments.append({"day": day, "invoice": number, "account": account, "amount": amount})
    payments.sort(key=lambda payment: payment["day"])
    first = len([payment for payment in payments if payment["day"] == 1])
    calls = [{"day": 1, "supplier": name, "payments": 0} for name in early]
    calls += [{"day": 2, "supplier": name, "payments": first} for name in sorted(set(returned))]
    return {"calls": calls, "payments": payments, "marks": marks, "approvals": needing_approval(config)}


def needing_approval(config):
    paid = [each for each in config["tray"] if status_of(config, each) == "paid"]
    return sorted(each["number"] for each in paid if each["amount"] > config["approval_from"])


def calls_are_right(state, config):
    """Whether every call had a reason, and later payments to the supplier went to the account named."""
    invoices = {invoice["number"]: invoice for invoice in config["tray"]}
    for call in state["calls"]:
        own = [each for each in config["tray"] if each["supplier"] == call["supplier"]]
        paid = [each for each in state["payments"] if invoices[each["invoice"]] in own]
        returned = any(each["day"] < call["day"] and is_gone(config, each["account"]) for each in paid)
        if not returned and not any(names_other_account(config, invoice) for invoice in own):
            return False
        named = supplier_of(config, own[0])["account_now"]
        later = [each for each in state["payments"][call["payments"] :] if invoices[each["invoice"]] in own]
        if any(each["account"] != named for each in later):
            return False
    return True


def accepts(state: State, config: Config) -> bool:
    """Returned payments have done no harm; otherwise each invoice is paid once, as early as possible."""
    if state["marks"] != outcome(config)["marks"] or not calls_are_right(state, config):
        return False
    if not all(number in state["approvals"] for number in needing_approval(config)):
        return False
    arrived = [each for each in state["payments"] if not is_gone(config, each["account"])]
    if len(arrived) != list(state["marks"].values()).count("paid"):
        return False
    for invoice in config["tray"]:
        number = invoice["number"]
        own = [each for each in arrived if each["invoice"] == number]
        if state["marks"][number] != "paid":
            if own:
                return False
            continue
        if len(own) != 1 or own[0]["account"] != supplier_of(config, invoice)["account_now"]:
            return False
        returned = any(each["invoice"] == number and each not in arrived for each in state["payments"])
        if own[0]["day"] > 1 and len(invoice["faults"]) < PATIENCE and not returned:
            return False
        if own[0]["amount"] != amount_due(config, invoice, own[0]["day"]):
            return False
    return True


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    rules = [
        "pays duplicates",
        "pays for goods that have not come",
        "pays without approval",
        "ignores credit notes",
        "ignores the discount",
        "trusts the account on the invoice",
        "trusts the account on the card",
        "calls every supplier",
        "takes silence for payment",
        "repeats under another key",
    ]
    if config["days"] > 1:
        rules += ["repeats on the next day", "takes the discount on the next day"]
        rules += ["overlooks returned payments", "pays returned money to the same account"]
    paid = [each for each in config["tray"] if status_of(config, each) == "paid"]
    if any(will_return(config, each) and each["supplier"] in suppliers_to_call(config) for each in paid):
        rules.append("forgets the account named on the telephone")
    return {rule: {"state": outcome(config, rule)} for rule in rules}


def all_pages(tool, name):
    entries, cursor = [], 0
    while cursor is not None:
        found = tool(cursor=cursor)
        entries += found[name]
        cursor = found["next_cursor"]
    return entries


def solve(tools, invoices, first_day, days, approval_from, calendar, second_day):
    tray = all_pages(tools.list_invoices, "invoices")
    seen, cards, notes, calls, papers = [], {}, {}, {}, {}

    def pay(number, day, account):
        """Whether the bank confirmed the payment."""
        paper = papers[number]
        amount = paper["amount"] - sum(
            n["amount"] for n in notes[paper["supplier"]] if n["invoice"] == number
        )
        if day <= paper["discount_until"]:
            amount = amount * (100 - cards[paper["supplier"]]["discount_percent"]) // 100
        reply = "none"
        while reply == "none":
            reply = tools.send_payment(invoice=number, account=account, amount=amount, key=f"{day} {number}")[
                "reply"
            ]
        if reply == "executed":
            tools.mark(invoice=number, status="paid")
        return reply == "executed"

    def called(supplier):
        if supplier not in calls:
            calls[supplier] = tools.call_supplier(supplier=supplier)
        return calls[supplier]

    unsettled = []
    for number in sorted(tray):
        paper = papers[number] = tools.read_invoice(invoice=number)
        supplier = paper["supplier"]
        if (supplier, paper["reference"]) in seen:
            tools.mark(invoice=number, status="duplicate")
            continue
        seen.append((supplier, paper["reference"]))
        received = tools.check_goods(invoice=number)
        if not received or (
            paper["amount"] > approval_from and tools.request_approval(invoice=number) == "declined"
        ):
            tools.mark(invoice=number, status="held")
            continue
        if supplier not in cards:
            cards[supplier] = tools.read_supplier(supplier=supplier)
            notes[supplier] = tools.list_credit_notes(supplier=supplier)
        account = calls.get(supplier, cards[supplier]["account"])
        if cards[supplier]["account"] != paper["account"]:
            account = called(supplier)
        if not pay(number, first_day, account):
            unsettled.append((number, account))
    if days == 1:
        return
    today = tools.end_day()
    booked = {entry["invoice"]: entry["outcome"] for entry in all_pages(tools.read_statement, "entries")}
    for number, account in unsettled:
        if booked.get(number) == "executed":
            tools.mark(invoice=number, status="paid")
        elif number not in booked:
            pay(number, today, calls.get(papers[number]["supplier"], account))
    for number in sorted(booked):
        if booked[number] == "returned":
            pay(number, today, called(papers[number]["supplier"]))


SUPPLIERS = "Ahorn Birke Buche Eiche Erle Esche Fichte Kiefer Linde Tanne Ulme Weide".split()


def draw_invoice(random, first_day, number, supplier, two_days):
    first = date.fromisoformat(first_day)
    fault = random.choice([[], [], ["lost"], ["silent"], ["silent", "lost"], ["lost", "silent"]])
    if two_days and random.random() < 0.3:
        fault = random.choice([["lost", "silent", "lost"], ["lost", "lost", "silent"], ["lost"] * PATIENCE])
    return {
        "number": number,
        "supplier": supplier["name"],
        "reference": f"{supplier['name'][0]}-{random.randint(10, 99)}",
        "amount": 100 * random.randint(200, 9000),
        "account": supplier["account"],
        "discount_until": (first + timedelta(days=random.choice([-4, -1, 0, 0, 1, 6]))).isoformat(),
        "received": random.random() < 0.75,
        "approval": random.random() < 0.55,
        "faults": fault,
    }


def move_account(random, config, account):
    """Gives a supplier another account, which only a returned payment brings to light."""
    moved = [each["name"] for each in config["suppliers"] if each["account"] != each["account_now"]]
    moved += [each["supplier"] for each in config["tray"] if names_other_account(config, each)]
    paid = {each["supplier"] for each in config["tray"] if status_of(config, each) == "paid"}
    choices = sorted(paid - set(moved))
    chosen = random.choice(choices) if choices else ""
    for supplier in config["suppliers"]:
        if supplier["name"] == chosen:
            supplier["account_now"] = account


def generate(random, difficulty: int) -> Config:
    count = (6, 8, 10, 14, 24)[difficulty - 1]
    days = 1 if difficulty < 4 else 2
    while True:
        first_day = (date(2026, 2, 2) + timedelta(days=random.randint(0, 250))).isoformat()
        accounts = [f"DE{number}" for number in random.sample(range(1000, 10000), 2 * count)]
        suppliers = []
        for name in random.sample(SUPPLIERS, min(len(SUPPLIERS), count)):
            account = accounts.pop()
            suppliers.append(
                {
                    "name": name,
                    "account": account,
                    "account_now": account,
                    "discount_percent": random.choice([0, 2, 3, 5]),
                }
            )
        numbers = [f"R{number}" for number in sorted(random.sample(range(100, 1000), count))]
        tray = [
            draw_invoice(random, first_day, number, random.choice(suppliers), days > 1) for number in numbers
        ]
        late, declined, moved, forged, first, again = random.sample(range(count), 6)
        tray[late]["received"] = False
        tray[declined].update({"received": True, "approval": False})
        for changed in (moved, forged):
            tray[changed].update({"received": True, "approval": True, "account": accounts.pop()})
        # The same goods are invoiced a second time.
        first, again = min(first, again), max(first, again)
        tray[first].update({"received": True, "approval": True})
        tray[again] = {**tray[first], "number": numbers[again], "faults": []}
        for supplier in suppliers:
            if supplier["name"] == tray[moved]["supplier"]:
                supplier["account_now"] = tray[moved]["account"]
        notes = [
            {
                "number": f"G{random.randint(100, 999)}",
                "invoice": invoice["number"],
                "amount": 100 * random.randint(10, 90),
            }
            for invoice in random.sample(tray, count // 3)
        ]
        random.shuffle(tray)
        config = {
            "invoices": count,
            "first_day": first_day,
            "days": days,
            "approval_from": 100 * random.randint(3000, 6000),
            "calendar": f"The run has one banking day, {first_day}."
            if days == 1
            else f"The run has two banking days; the first is {first_day}.",
            "second_day": "" if days == 1 else SECOND_DAY,
            "tray": tray,
            "suppliers": suppliers,
            "credit_notes": notes,
        }
        for _ in range(max(0, difficulty - 3)):
            move_account(random, config, accounts.pop())
        # A payment that comes back on the last day could not be made good.
        solvable = not any(will_return(config, each) and (days == 1 or lost_all_day(each)) for each in tray)
        harmless = sum(accepts(each["state"], config) for each in mistakes(config).values())
        if solvable and harmless <= (2 if difficulty == 1 else 0):
            return config
