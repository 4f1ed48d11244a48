"""You work at the refund desk of a mail-order shop for household goods. Today is {today}. {cases} cases are
in your queue. In each of them a customer writes about one order and asks for a refund or an exchange of some
of its items.

The policy of the house decides what a customer gets; it is kept in sections. The following holds for every
case:
- For each item for which the customer asks for something, exactly one decision is booked: a refund, an
  exchange, a refusal, or a hand-over to the supervisor. What the policy does not permit is refused. For
  items for which the customer asks for nothing, nothing is booked.
- Customers sometimes change their minds while you are dealing with them, also more than once. What counts is
  the last wish about each item before the case is closed.
- Before a decision is booked, it is proposed to the customer, with the amount if it is a refund. You need not
  wait for consent: a proposal counts as made whatever the customer answers. Only a decision that changes must
  be proposed again.
- A proposal must be what the policy gives for everything that the customer has asked for until then. A
  proposal that is not is an error, even if something else is booked later.
- All decisions of a case are proposed before the first of them is booked. What is booked cannot be changed.
  After the first booking a customer may still ask for something for another item; the decisions about the
  other items then stay as they are.
- When everything that a customer asks for has been decided, close the case. The system does not check whether
  everything has been decided.

All amounts are in cents. You are done when the queue has been dealt with; there is nothing to report.
"""

from datetime import date, timedelta
from typing import Literal, TypedDict

META = {
    "title": "Refund desk",
    "tags": ["support", "policy"],
    "public": ["today", "cases"],
    "license": "MIT",
    "source": "original",
}

FAULT_DAYS = 730
RULES = {
    "Returns": ["forgets the return period"],
    "Faulty goods": ["treats faulty goods like others"],
    "Used goods": ["refunds used goods in full"],
    "Payment": ["pays where the customer wants it"],
    "Exchange": ["exchanges without stock"],
    "Clearance": ["takes back clearance goods"],
    "Members": ["forgets the members' period"],
    "Discounts": ["refunds the list price"],
    "Large refunds": [
        "forgets the limit",
        "applies the limit to single items",
        "checks the limit for the first wishes only",
    ],
    "Sets": ["takes sets apart"],
    "Promises": ["ignores written promises", "believes unwritten promises"],
}
LIMITS_OF_FAULTY = ["Payment", "Exchange", "Discounts", "Large refunds"]
INTRODUCED = (5, 6, 8, 9, 11)
PROPOSALS = ["first proposal", "second proposal", "third proposal"]
SENTENCES = {
    "refund": [
        "I would like my money back for the ITEM.",
        "Please refund the ITEM.",
        "I am sending back the ITEM and ask for a refund.",
    ],
    "exchange": [
        "I would like a new one in exchange for the ITEM.",
        "Please exchange the ITEM.",
        "I need a replacement for the ITEM.",
    ],
    "nothing": [
        "I am going to keep the ITEM.",
        "You may forget about the ITEM.",
        "Nothing needs to be done about the ITEM.",
    ],
}


class Item(TypedDict):
    name: str
    price: int
    clearance: bool
    set: str
    condition: Literal["sealed", "used", "faulty"]
    stock: int


class Wish(TypedDict):
    item: str
    remedy: Literal["refund", "exchange", "nothing"]


class Change(TypedDict):
    """A wish that the customer expresses in reply to a proposal or booking."""

    item: str
    remedy: Literal["refund", "exchange", "nothing"]
    after: Literal["first proposal", "second proposal", "third proposal", "first booking"]


class Case(TypedDict):
    number: str
    order: str
    customer: str
    member: bool
    delivered: str
    paid_by: Literal["card", "transfer", "gift card"]
    wants_money_by: Literal["", "card", "transfer"]
    discount_percent: int
    items: list[Item]
    wishes: list[Wish]
    changes: list[Change]
    style: int
    claims_promise: bool
    promised_until: str


class Config(TypedDict):
    today: str
    cases: int
    sections: list[str]
    days: int
    member_days: int
    used_percent: int
    limit: int
    queue: list[Case]


class CaseView(TypedDict):
    case: str
    customer: str
    order: str
    messages: list[str]


class OrderLine(TypedDict):
    item: str
    price: int
    clearance: bool
    set: str


class Order(TypedDict):
    order: str
    customer: str
    delivered: str
    paid_by: str
    discount_percent: int
    lines: list[OrderLine]


class Customer(TypedDict):
    name: str
    member: bool


class Decision(TypedDict):
    decision: Literal["refund", "exchange", "refusal", "supervisor"]
    amount: int
    to: str


class Booking(TypedDict):
    decision: Literal["refund", "exchange", "refusal", "supervisor"]
    amount: int
    to: str
    reply: str


class Proposal(TypedDict):
    """A proposal, and what came before it: the customer's changes of mind and a booking in its case."""

    case: str
    item: str
    decision: Literal["refund", "exchange", "refusal", "supervisor"]
    amount: int
    changes: int
    after_booking: bool


class State(TypedDict):
    proposals: list[Proposal]
    decisions: dict[str, Decision]
    closed: list[str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.found = {case["number"]: case for case in config["queue"]}
        self.orders = {case["order"]: case for case in config["queue"]}
        self.proposals = []
        self.heard = {case["number"]: 0 for case in config["queue"]}
        self.decisions = {}
        self.closed = []

    def queue(self) -> list[str]:
        """List the numbers of the cases that are not closed."""
        return [number for number in self.found if number not in self.closed]

    def read_case(self, case: str) -> CaseView:
        """Read a case: the customer, the order, and what the customer has written so far.

        Args:
            case: number of the case.
        """
        found = known(self.found, case, "case")
        changes = found["changes"][: self.heard[case]]
        messages = [first_message(found)] + [change_message(found, change) for change in changes]
        return {"case": case, "customer": found["customer"], "order": found["order"], "messages": messages}

    def read_order(self, order: str) -> Order:
        """Read an order: its delivery, its payment and its items with list prices; an empty set means none.

        Args:
            order: number of the order.
        """
        found = known(self.orders, order, "order")
        return {
            "order": order,
            "customer": found["customer"],
            "delivered": found["delivered"],
            "paid_by": found["paid_by"],
            "discount_percent": found["discount_percent"],
            "lines": [
                {"item": i["name"], "price": i["price"], "clearance": i["clearance"], "set": i["set"]}
                for i in found["items"]
            ],
        }

    def read_order_notes(self, order: str) -> list[str]:
        """Read the notes that colleagues have written into an order.

        Args:
            order: number of the order.
        """
        found = known(self.orders, order, "order")
        notes = [f"Parcel handed over on {found['delivered']}."]
        if found["promised_until"]:
            notes.append(f"Promised by the desk: may be sent back until {found['promised_until']}.")
        return notes

    def read_customer(self, customer: str) -> Customer:
        """Read a customer's card.

        Args:
            customer: name of the customer.
        """
        cases = {case["customer"]: case for case in self.config["queue"]}
        return {"name": customer, "member": known(cases, customer, "customer")["member"]}

    def ask_condition(self, case: str, item: str) -> str:
        """Ask the customer of a case in what condition an item of the order is.

        Args:
            case: number of the case.
            item: name of the item.
        """
        condition = item_of(known(self.found, case, "case"), item)["condition"]
        return {
            "sealed": f"The {item}? I have not even opened the box.",
            "used": f"I have used the {item} a few times. It works as it should.",
            "faulty": f"The {item} does not work properly.",
        }[condition]

    def check_stock(self, case: str, item: str) -> int:
        """Tell how many new pieces of an item of a case's order are in stock.

        Args:
            case: number of the case.
            item: name of the item.
        """
        return item_of(known(self.found, case, "case"), item)["stock"]

    def list_policy(self) -> list[str]:
        """List the sections of the policy."""
        return self.config["sections"]

    def read_policy(self, section: str) -> str:
        """Read a section of the policy.

        Args:
            section: title of the section.
        """
        return policy(self.config)[
            known({title: title for title in self.config["sections"]}, section, "section")
        ]

    def propose(
        self,
        case: str,
        item: str,
        decision: Literal["refund", "exchange", "refusal", "supervisor"],
        amount: int,
    ) -> str:
        """Tell the customer of an open case what you are going to decide about an item; returns the reply.

        Args:
            case: number of the case.
            item: name of the item.
            decision: what you are going to book.
            amount: cents that will be refunded, at most the list price; 0 if it is not a refund.
        """
        found = open_case(self.found, self.closed, case)
        price = item_of(found, item)["price"]
        if f"{case} {item}" in self.decisions:
            raise ValueError("the decision about this item has been booked already")
        if (decision == "refund") != (amount > 0) or not 0 <= amount <= price:
            raise ValueError("a refund needs an amount up to the list price, other decisions have none")
        if last_proposed(self.proposals, case, item) == (decision, amount):
            raise ValueError("this is what was last proposed about this item")
        proposal = {"case": case, "item": item, "decision": decision, "amount": amount}
        proposal["changes"] = self.heard[case]
        proposal["after_booking"] = has_bookings(self.decisions, case)
        self.proposals.append(proposal)
        count = [each["case"] for each in self.proposals].count(case)
        coming = changes_after(found, self.heard[case], PROPOSALS[count - 1 : count])
        if coming:
            self.heard[case] += 1
            return change_message(found, coming[0])
        return "A pity, but all right." if decision == "refusal" else "Thank you, that is fine."

    def book(
        self,
        case: str,
        item: str,
        decision: Literal["refund", "exchange", "refusal", "supervisor"],
        amount: int,
        to: Literal["card", "transfer", "gift card", "none"],
    ) -> Booking:
        """Book for good the decision about an item, as it was last proposed; returns it with the reply.

        Args:
            case: number of the case.
            item: name of the item.
            decision: what is decided.
            amount: cents that are refunded; 0 if it is not a refund.
            to: how a refund is paid; none if it is not a refund.
        """
        found = open_case(self.found, self.closed, case)
        item_of(found, item)
        if f"{case} {item}" in self.decisions:
            raise ValueError("the decision about this item has been booked already")
        if (decision == "refund") != (amount > 0) or (decision == "refund") != (to != "none"):
            raise ValueError("a refund needs an amount and a way of payment, other decisions have neither")
        if last_proposed(self.proposals, case, item) != (decision, amount):
            raise ValueError("this is not what was last proposed to the customer about this item")
        coming = changes_after(found, self.heard[case], ["first booking"])
        reply = "Thank you for the confirmation."
        if coming and not has_bookings(self.decisions, case):
            self.heard[case] += 1
            reply = change_message(found, coming[0])
        self.decisions[f"{case} {item}"] = {"decision": decision, "amount": amount, "to": to}
        return {**self.decisions[f"{case} {item}"], "reply": reply}

    def close(self, case: str) -> int:
        """Close a case for good; returns how many cases are still open.

        Args:
            case: number of the case.
        """
        open_case(self.found, self.closed, case)
        self.closed.append(case)
        return len(self.found) - len(self.closed)

    def final_state(self) -> State:
        return {
            "proposals": self.proposals,
            "decisions": self.decisions,
            "closed": sorted(self.closed),
        }


def known(entries, key, kind):
    if key not in entries:
        raise ValueError(f"there is no such {kind}")
    return entries[key]


def open_case(cases, closed, number):
    if number in closed:
        raise ValueError("this case is closed")
    return known(cases, number, "case")


def last_proposed(proposals, case, item):
    own = [each for each in proposals if (each["case"], each["item"]) == (case, item)]
    return (own[-1]["decision"], own[-1]["amount"]) if own else None


def has_bookings(decisions, case):
    return any(booked.startswith(f"{case} ") for booked in decisions)


def changes_after(case, heard, events):
    """The customer's next change of mind, if it follows one of these events."""
    return [change for change in case["changes"][heard : heard + 1] if change["after"] in events]


def item_of(case, name):
    return known({item["name"]: item for item in case["items"]}, name, "item in the order of this case")


def sentence(case, wish):
    return SENTENCES[wish["remedy"]][case["style"]].replace("ITEM", wish["item"])


def first_message(case):
    parts = [f"Hello, this is about my order {case['order']}."]
    parts += [sentence(case, wish) for wish in case["wishes"]]
    if case["wants_money_by"]:
        how = {"card": "to my card", "transfer": "to my bank account"}[case["wants_money_by"]]
        parts.append(f"Please send any money {how}.")
    if case["claims_promise"]:
        parts.append("Your colleague promised me on the telephone that I may still send things back.")
    return " ".join(parts)


def change_message(case, change):
    begin = ["I have thought about it.", "One more thing.", "I have changed my mind."][case["style"]]
    return f"{begin} {sentence(case, change)}"


def policy(config):
    """The text of each section."""
    others = [each.lower() for each in LIMITS_OF_FAULTY if each in config["sections"]]
    return {
        "Returns": f"An item is refunded, or exchanged for a new one, until {config['days']} days after the "
        "delivery of its order; that day still counts. Later it is neither refunded nor exchanged.",
        "Faulty goods": "For an item that does not work properly, customers get what they ask for, a refund "
        f"of the full price or an exchange, until {FAULT_DAYS} days after delivery. No other section can "
        f"forbid it or lower the amount, except those on {', '.join(others[:-1])} and {others[-1]}.",
        "Used goods": f"For an item that has been used and works, {config['used_percent']} per cent of the "
        "price are refunded. It is not exchanged: a request for an exchange is refused.",
        "Payment": "Money goes back the way in which the order was paid, whatever the customer asks for. "
        "A request for another way is no reason to refuse the refund.",
        "Clearance": "Clearance items are neither refunded nor exchanged.",
        "Exchange": "An item that is out of stock cannot be exchanged. A customer who asks for an exchange, "
        "and would get it if the item were in stock, gets the refund for it instead.",
        "Members": f"For members the period for returns is {config['member_days']} days.",
        "Discounts": "If the order had a discount, the price in all sections is the list price less the "
        "discount.",
        "Large refunds": f"If the refunds of a case add up to more than {config['limit']} cents, the desk "
        "refunds nothing in this case: each of these refunds becomes a hand-over to the supervisor, without "
        "an amount. Exchanges and refusals stay with the desk.",
        "Sets": "Items of the same set in an order go back together. A request for an item of a set is "
        "refused unless the customer asks for a refund or an exchange of every item of that set.",
        "Promises": "If a note in the order promises a last day for sending back that is later than the "
        "period for returns ends, the promised day takes the place of that end; it still counts. What "
        "customers say about promises is not enough.",
    }


def may_return(config, case, item, forget):
    """Whether an item that is not faulty may go back at all."""
    sections = config["sections"]
    today, delivered = date.fromisoformat(config["today"]), date.fromisoformat(case["delivered"])
    member = case["member"] and "Members" in sections and forget != "forgets the members' period"
    last = delivered + timedelta(days=config["member_days" if member else "days"])
    if case["promised_until"] and "Promises" in sections and forget != "ignores written promises":
        last = max(last, date.fromisoformat(case["promised_until"]))
    if case["claims_promise"] and forget == "believes unwritten promises":
        last = today
    if today > last and forget != "forgets the return period":
        return False
    return not ("Clearance" in sections and item["clearance"]) or forget == "takes back clearance goods"


def remedies(config, case, changes, forget):
    """The remedy and amount of each item that the customer asks for after these changes of mind."""
    sections = config["sections"]
    wishes = {wish["item"]: wish["remedy"] for wish in case["wishes"] + changes}
    wishes = {name: wishes[name] for name in wishes if wishes[name] != "nothing"}
    decided = {}
    for name in wishes:
        item, remedy = item_of(case, name), wishes[name]
        age = (date.fromisoformat(config["today"]) - date.fromisoformat(case["delivered"])).days
        faulty = item["condition"] == "faulty" and age <= FAULT_DAYS
        faulty = faulty and forget != "treats faulty goods like others"
        permitted = faulty or may_return(config, case, item, forget)
        used = item["condition"] == "used" and forget != "refunds used goods in full"
        if used and remedy == "exchange":
            permitted = False
        if item["set"] and "Sets" in sections and not faulty and forget != "takes sets apart":
            whole = [each["name"] for each in case["items"] if each["set"] == item["set"]]
            permitted = permitted and all(each in wishes for each in whole)
        if "Exchange" in sections and not item["stock"] and forget != "exchanges without stock":
            remedy = "refund"
        discount = case["discount_percent"] if "Discounts" in sections else 0
        amount = item["price"] * (100 - (discount if forget != "refunds the list price" else 0)) // 100
        amount = amount * (config["used_percent"] if used else 100) // 100
        decided[name] = (remedy, amount) if permitted else ("refusal", 0)
    return decided


def decide(config, case, changes, forget=""):
    """The decision about each item that the customer asks for after these changes of mind."""
    decided = remedies(config, case, changes, forget)
    counted = decided
    if forget == "checks the limit for the first wishes only":
        counted = remedies(config, case, [], forget)
    refunds = [amount for remedy, amount in counted.values() if remedy == "refund"]
    total = max(refunds, default=0) if forget == "applies the limit to single items" else sum(refunds)
    large = "Large refunds" in config["sections"] and total > config["limit"]
    large = large and forget != "forgets the limit"
    way = case["paid_by"]
    if case["wants_money_by"] and forget == "pays where the customer wants it":
        way = case["wants_money_by"]
    decisions = {}
    for name, (remedy, amount) in decided.items():
        if remedy == "refund":
            booked = ("supervisor", 0, "none") if large else ("refund", amount, way)
        else:
            booked = (remedy, 0, "none")
        decisions[name] = dict(zip(("decision", "amount", "to"), booked))
    return decisions


def changes_known(case, forget):
    """The changes of mind that are taken into account."""
    if forget == "ignores changes of mind":
        return []
    if forget == "hears only the first change of mind":
        return case["changes"][:1]
    if forget == "overlooks what is added after the first booking":
        return early_changes(case)
    return case["changes"]


def early_changes(case):
    return [change for change in case["changes"] if change["after"] != "first booking"]


def expected(config: Config, forget: str = "") -> State:
    """A state that the policy leads to; with one rule forgotten, if it is named."""
    proposals, decisions = [], {}
    for case in config["queue"]:
        number, changes = case["number"], changes_known(case, forget)
        early = decide(config, case, early_changes(case), forget)
        for item, decision in decide(config, case, changes, forget).items():
            decisions[f"{number} {item}"] = decision
            told = {"decision": decision["decision"], "amount": decision["amount"]}
            known_before = {"changes": len(changes), "after_booking": item not in early}
            proposals.append({"case": number, "item": item, **told, **known_before})
    closed = sorted(case["number"] for case in config["queue"])
    return {"proposals": proposals, "decisions": decisions, "closed": closed}


def accepts(state: State, config: Config) -> bool:
    """The decisions are those of the policy; each proposal was so when it was made, and made in time."""
    right = expected(config)
    if state["decisions"] != right["decisions"] or state["closed"] != right["closed"]:
        return False
    cases = {case["number"]: case for case in config["queue"]}
    for proposal in state["proposals"]:
        case = cases[proposal["case"]]
        due = decide(config, case, case["changes"][: proposal["changes"]]).get(proposal["item"])
        if not due or (due["decision"], due["amount"]) != (proposal["decision"], proposal["amount"]):
            return False
        if proposal["after_booking"] and proposal["item"] in decide(config, case, early_changes(case)):
            return False
    return True


def rules_of(config):
    """What can be forgotten in this task."""
    rules = ["ignores changes of mind"]
    if any(len(case["changes"]) > 1 for case in config["queue"]):
        rules.append("hears only the first change of mind")
    if any(change["after"] == "first booking" for case in config["queue"] for change in case["changes"]):
        rules.append("overlooks what is added after the first booking")
    # The rules that matter in the fewest cases come first.
    return rules + [rule for title in reversed(config["sections"]) for rule in RULES[title]]


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    return {rule: {"state": expected(config, rule)} for rule in rules_of(config)}


def solve(tools, today, cases):
    titles = tools.list_policy()
    texts = {title: tools.read_policy(section=title) for title in titles}
    for case in tools.queue():
        settle_case(tools, date.fromisoformat(today), texts, case)


def settle_case(tools, today, texts, name):
    case = tools.read_case(case=name)
    order = tools.read_order(order=case["order"])
    member = "Members" in texts and tools.read_customer(customer=case["customer"])["member"]
    days = number_in(texts, "Members", " days") if member else number_in(texts, "Returns", " days")
    last = date.fromisoformat(order["delivered"]) + timedelta(days=days)
    for note in tools.read_order_notes(order=case["order"]) if "Promises" in texts else []:
        if "Promised" in note:
            last = max(last, date.fromisoformat(note.split("until ")[1].strip(".")))
    messages, conditions, stocks = case["messages"], {}, {}
    proposed, booked = {}, []
    while True:
        wishes = wishes_in(messages, [line["item"] for line in order["lines"]])
        for item in wishes:
            if item not in conditions:
                conditions[item] = tools.ask_condition(case=name, item=item)
            if item not in stocks and wishes[item] == "exchange":
                stocks[item] = tools.check_stock(case=name, item=item)
        decided = decide_from_texts(today, last, texts, order, wishes, conditions, stocks)
        unproposed = [item for item in decided if proposed.get(item) != decided[item]]
        unbooked = [item for item in decided if item not in booked]
        if unproposed:
            item = unproposed[0]
            decision, amount = proposed[item] = decided[item]
            messages.append(tools.propose(case=name, item=item, decision=decision, amount=amount))
        elif unbooked:
            item = unbooked[0]
            decision, amount = decided[item]
            to = order["paid_by"] if decision == "refund" else "none"
            booking = tools.book(case=name, item=item, decision=decision, amount=amount, to=to)
            messages.append(booking["reply"])
            booked.append(item)
        else:
            break
    tools.close(case=name)


def decide_from_texts(today, last, texts, order, wishes, conditions, stocks):
    """Each item's decision and amount by the sections as they have been read."""
    age = (today - date.fromisoformat(order["delivered"])).days
    decided = {}
    for line in [line for line in order["lines"] if line["item"] in wishes]:
        item = line["item"]
        remedy = wishes[item]
        used = "used" in conditions[item]
        permitted = today <= last and not (used and remedy == "exchange")
        permitted = permitted and not ("Clearance" in texts and line["clearance"])
        if line["set"] and "Sets" in texts:
            whole = [each["item"] for each in order["lines"] if each["set"] == line["set"]]
            permitted = permitted and all(each in wishes for each in whole)
        if "does not work" in conditions[item] and age <= FAULT_DAYS:
            permitted = True
        if remedy == "exchange" and "Exchange" in texts and not stocks[item]:
            remedy = "refund"
        amount = line["price"]
        if "Discounts" in texts:
            amount = amount * (100 - order["discount_percent"]) // 100
        amount = amount * (number_in(texts, "Used goods", " per cent") if used else 100) // 100
        if not permitted:
            decided[item] = ("refusal", 0)
        else:
            decided[item] = (remedy, amount if remedy == "refund" else 0)
    total = sum(amount for remedy, amount in decided.values())
    if "Large refunds" in texts and total > number_in(texts, "Large refunds", " cents"):
        for item in [item for item in decided if decided[item][0] == "refund"]:
            decided[item] = ("supervisor", 0)
    return decided


def number_in(texts, section, unit):
    """The number before a unit in a section of the policy."""
    return int(texts[section].split(unit)[0].split()[-1])


def wishes_in(messages, items):
    wishes = {}
    for sentence_read in " ".join(messages).split("."):
        for item in items:
            if f"the {item}" in sentence_read:
                exchange = "exchange" in sentence_read or "replacement" in sentence_read
                refund = "money back" in sentence_read or "refund" in sentence_read
                wishes[item] = "exchange" if exchange else "refund" if refund else ""
    return {item: wishes[item] for item in wishes if wishes[item]}


CUSTOMERS = "Adler Brandt Castell Dorn Eklund Falk Grau Holm Iversen Jansen Kern Lund".split()
GOODS = "kettle,lamp,toaster,mirror,clock,blender,carpet,radio,heater,fan,scale,mixer".split(",")


def draw_case(random, config, difficulty, number, customer):
    days, member_days = config["days"], config["member_days"]
    count = random.randint(2, 3 if difficulty < 4 else 4)
    items = [
        {
            "name": name,
            "price": 500 * random.randint(4, 30),
            "clearance": difficulty > 1 and random.random() < 0.2,
            "set": "",
            "condition": random.choice(["sealed", "sealed", "used", "faulty"]),
            "stock": random.choice([0, 2, 5]),
        }
        for name in random.sample(GOODS, count)
    ]
    if difficulty == 5 and random.random() < 0.5:
        for item in items[:2]:
            item["set"] = "breakfast set"
    age = random.choice([days // 2, days, days + 1, (days + member_days) // 2, member_days, member_days + 9])
    wishes = [
        {"item": item["name"], "remedy": random.choice(["refund", "refund", "exchange"])}
        for item in items[: random.randint(1, count)]
    ]
    paid_by = random.choice(["card", "transfer", "gift card"])
    other = "card" if paid_by != "card" else "transfer"
    today = date.fromisoformat(config["today"])
    promised = difficulty == 5 and random.random() < 0.3
    return {
        "number": number,
        "order": f"O{random.randint(1000, 9999)}",
        "customer": customer,
        "member": difficulty > 2 and random.random() < 0.5,
        "delivered": (today - timedelta(days=age)).isoformat(),
        "paid_by": paid_by,
        "wants_money_by": other if random.random() < 0.4 else "",
        "discount_percent": random.choice([0, 5, 10, 20]) if difficulty > 2 else 0,
        "items": items,
        "wishes": wishes,
        "changes": draw_changes(random, difficulty, items, wishes),
        "style": random.randint(0, 2),
        "claims_promise": difficulty == 5 and (promised or random.random() < 0.4),
        "promised_until": (today + timedelta(days=random.randint(-3, 9))).isoformat() if promised else "",
    }


def draw_changes(random, difficulty, items, wishes):
    """Draws changes of mind that reach everybody who proposes all decisions before the first booking."""
    count = random.choice([0, 1, 1] if difficulty < 4 else [0, 1, 2, 2])
    asked = {wish["item"]: wish["remedy"] for wish in wishes}
    changes, proposals = [], 0
    while len(changes) < count:
        wanted = [name for name in asked if asked[name] != "nothing"]
        others = [item["name"] for item in items if item["name"] not in asked]
        # A customer hears at least one proposal for each item wanted.
        events = PROPOSALS[proposals : len(wanted)]
        if difficulty > 1 and wanted and others:
            events = events + ["first booking"]
        if not events:
            break
        after = random.choice(events)
        if after == "first booking" or (others and random.random() < 0.4):
            item = others[-1]
            remedy = random.choice(["refund", "refund", "exchange"])
        else:
            item = random.choice(sorted(asked))
            remedy = random.choice([each for each in SENTENCES if each != asked[item]])
        asked[item] = remedy
        changes.append({"item": item, "remedy": remedy, "after": after})
        if after == "first booking":
            break
        proposals = PROPOSALS.index(after) + 1
    return changes


def is_fair(config, case):
    """Whether what the customer adds after the first booking leaves the other decisions as they are."""
    if not case["changes"] or case["changes"][-1]["after"] != "first booking":
        return True
    before = decide(config, case, case["changes"][:-1])
    after = decide(config, case, case["changes"])
    return all(after[name] == before[name] for name in before)


def changes_a_decision(config, forget, right):
    """Whether another decision follows in any case if a rule is forgotten; `right` has those of each case."""
    return any(
        decide(config, case, changes_known(case, forget), forget) != decisions
        for case, decisions in zip(config["queue"], right)
    )


def generate(random, difficulty: int) -> Config:
    cases = (2, 3, 4, 6, 9)[difficulty - 1]
    while True:
        days = random.choice([14, 21, 30])
        config = {
            "today": (date(2026, 1, 5) + timedelta(days=random.randint(0, 300))).isoformat(),
            "cases": cases,
            "sections": list(RULES)[: INTRODUCED[difficulty - 1]],
            "days": days,
            "member_days": days + random.choice([10, 20, 30]),
            "used_percent": random.choice([60, 80]),
            "limit": random.choice([10000, 12000, 15000]),
            "queue": [],
        }
        numbers = random.sample(range(100, 1000), cases)
        names = random.sample(CUSTOMERS, cases)
        for number, name in zip(numbers, names):
            case = draw_case(random, config, difficulty, f"C{number}", name)
            while not is_fair(config, case):
                case = draw_case(random, config, difficulty, f"C{number}", name)
            config["queue"].append(case)
        changes = [change["after"] for case in config["queue"] for change in case["changes"]]
        late = difficulty == 1 or "first booking" in changes
        twice = difficulty < 4 or any(len(case["changes"]) > 1 for case in config["queue"])
        # Every rule has to matter: forgetting it leads to another state.
        if len({case["order"] for case in config["queue"]}) == cases and late and twice:
            right = [decide(config, case, case["changes"]) for case in config["queue"]]
            if all(changes_a_decision(config, rule, right) for rule in rules_of(config)):
                return config
