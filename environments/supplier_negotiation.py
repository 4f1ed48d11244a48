"""Buy the parts for our next series. You negotiate with the suppliers, and what you commit to is bought.

You have to buy exactly the quantity of each part that the list of needs says, for {budget} pounds in total at
most. The budget can be kept with one or two suppliers for each part. It is day 0. Suppliers answer the next
day: asking for an offer takes a day, and so does a bid. Everything else takes no time. Day {last_day} is the
last day. On the last day you can still commit, but no longer ask or bid.

Suppliers
- The price list of a supplier gives the price of a unit, the stock that is left, and the rebate on each unit
  if a quantity of at least "bulk_from" units is bought at once. It also says how many days after your
  commitment the goods arrive, and which certificates the supplier has.
- An offer is for a quantity of one part. It begins at the list price, less the rebate if it is for a bulk
  quantity, and lapses after the day until which it is valid; each answer to a bid prolongs it by "offer_days"
  from that day. You may ask again; then it begins anew.
- A bid that is accepted sets the price of the offer. You may bid again afterwards.
- A bid of less than half the present price of an offer is taken as an insult. The third refused bid for a
  part is too many, whichever offers the bids are on. After either, the supplier ends the talks about this
  part: its offers of the part are withdrawn, and it sells us no more of it.
- From experience: each supplier has a lowest price for each part, which it does not tell. It is lower by the
  rebate for a bulk quantity. Suppliers accept every bid at this price or above.
- From experience: when a supplier refuses a bid, it comes down with its own price. For a part it comes down
  by the same amount each time, but not below the lowest price.

Rules of the house (nobody stops you if you break a rule)
- A part that needs a certificate may only be bought from suppliers who have it.
- All units of a part have to arrive on the day by which it is needed, or before.
- One supplier may deliver up to {share} per cent of the units of a part that belongs to no set.
- If parts belong to a set, they have to match: all units of all its parts come from one and the same
  supplier.

There is nothing to answer. Submit when everything has been bought.
"""

from itertools import product
from typing import TypedDict

META = {
    "title": "Supplier negotiation",
    "tags": ["negotiation", "purchasing"],
    "public": ["budget", "last_day", "share"],
    "license": "MIT",
    "source": "original",
}


# So many bids for a part may a supplier refuse before it ends the talks.
REFUSALS = 2


class Need(TypedDict):
    quantity: int
    needed_by: int
    certificate: str | None
    set: str | None


class Good(TypedDict):
    price: int
    stock: int
    bulk_from: int
    bulk_rebate: int


class PriceList(TypedDict):
    certificates: list[str]
    lead_days: int
    offer_days: int
    goods: dict[str, Good]


class Limit(TypedDict):
    lowest: int
    step: int


class Config(TypedDict):
    budget: int
    last_day: int
    share: int
    needs: dict[str, Need]
    suppliers: dict[str, PriceList]
    limits: dict[str, dict[str, Limit]]


class Offer(TypedDict):
    number: int
    supplier: str
    part: str
    quantity: int
    price: int
    valid_until: int
    today: int


class Reply(TypedDict):
    accepted: bool
    price: int
    valid_until: int
    today: int


class Purchase(TypedDict):
    supplier: str
    part: str
    quantity: int
    price: int
    arrives: int


class State(TypedDict):
    purchases: list[Purchase]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.today = 0
        self.stock = {
            name: {part: good["stock"] for part, good in supplier["goods"].items()}
            for name, supplier in config["suppliers"].items()
        }
        self.offers = []
        self.refused = {}
        self.ended = []
        self.purchases = []

    def needs(self) -> dict[str, Need]:
        """Show the list of needs: quantity, day, certificate and set of each part."""
        return self.config["needs"]

    def suppliers(self) -> list[str]:
        """List the names of the suppliers."""
        return sorted(self.config["suppliers"])

    def price_list(self, supplier: str) -> PriceList:
        """Read the price list of a supplier, with the stock that is left.

        Args:
            supplier: name of the supplier.
        """
        if supplier not in self.config["suppliers"]:
            raise ValueError(f"there is no supplier {supplier}")
        terms, left = self.config["suppliers"][supplier], self.stock[supplier]
        goods = {part: {**good, "stock": left[part]} for part, good in terms["goods"].items()}
        return {**terms, "goods": goods}

    def ask(self, supplier: str, part: str, quantity: int) -> Offer:
        """Ask a supplier for an offer. Takes a day.

        Args:
            supplier: name of the supplier.
            part: name of the part.
            quantity: number of units.
        """
        terms = self.price_list(supplier)
        if part not in terms["goods"]:
            raise ValueError(f"{supplier} does not sell {part}")
        check_talks(self, supplier, part)
        if quantity < 1:
            raise ValueError("the quantity must be at least 1")
        if quantity > self.stock[supplier][part]:
            raise ValueError(f"{supplier} has {self.stock[supplier][part]} units of {part} left")
        pass_day(self)
        offer = {
            "number": len(self.offers) + 1,
            "supplier": supplier,
            "part": part,
            "quantity": quantity,
            "price": terms["goods"][part]["price"] - rebate(terms["goods"][part], quantity),
            "valid_until": self.today + terms["offer_days"],
            "today": self.today,
        }
        self.offers.append(offer)
        return offer

    def bid(self, offer: int, price: int) -> Reply:
        """Bid a price for a unit on an offer. Takes a day.

        Args:
            offer: number of the offer.
            price: pounds for a unit.
        """
        found = valid_offer(self, offer)
        supplier, part, now = found["supplier"], found["part"], found["price"]
        if price < 1:
            raise ValueError("the price must be at least 1 pound")
        if price >= now:
            raise ValueError(f"a bid must be below {now}, the present price of the offer")
        pass_day(self)
        if 2 * price < now:
            self.ended.append((supplier, part))
            raise ValueError(f"{supplier} is insulted and does not sell us {part} any more")
        limit, good = self.config["limits"][supplier][part], self.price_list(supplier)["goods"][part]
        lowest = limit["lowest"] - rebate(good, found["quantity"])
        accepted = price >= lowest
        if not accepted:
            self.refused[supplier, part] = self.refused.get((supplier, part), 0) + 1
            if self.refused[supplier, part] > REFUSALS:
                self.ended.append((supplier, part))
                raise ValueError(f"{supplier} has refused too many bids and does not sell us {part} any more")
            price = max(lowest, now - limit["step"])
        valid_until = self.today + self.price_list(supplier)["offer_days"]
        self.offers[offer - 1] = {**found, "price": price, "valid_until": valid_until}
        return {"accepted": accepted, "price": price, "valid_until": valid_until, "today": self.today}

    def commit(self, offer: int) -> Purchase:
        """Buy what an offer is for at its present price. Cannot be undone.

        Args:
            offer: number of the offer.
        """
        found = valid_offer(self, offer)
        supplier, part, quantity = found["supplier"], found["part"], found["quantity"]
        if quantity > self.stock[supplier][part]:
            raise ValueError(f"{supplier} has {self.stock[supplier][part]} units of {part} left")
        self.stock[supplier][part] -= quantity
        self.offers[offer - 1] = {**found, "valid_until": -1}
        purchase = {
            "supplier": supplier,
            "part": part,
            "quantity": quantity,
            "price": found["price"],
            "arrives": self.today + self.price_list(supplier)["lead_days"],
        }
        self.purchases.append(purchase)
        return purchase

    def final_state(self) -> State:
        return {"purchases": self.purchases}


def rebate(good: Good, quantity: int) -> int:
    return good["bulk_rebate"] if quantity >= good["bulk_from"] else 0


def check_talks(environment, supplier: str, part: str) -> None:
    if (supplier, part) in environment.ended:
        raise ValueError(f"{supplier} does not sell us {part} any more")


def pass_day(environment) -> None:
    if environment.today >= environment.config["last_day"]:
        raise ValueError("it is the last day: you can commit, but no longer ask or bid")
    environment.today += 1


def valid_offer(environment, number: int) -> Offer:
    if not 1 <= number <= len(environment.offers):
        raise ValueError(f"there is no offer {number}")
    offer = environment.offers[number - 1]
    check_talks(environment, offer["supplier"], offer["part"])
    if offer["valid_until"] < environment.today:
        raise ValueError(f"offer {number} is not valid any more")
    return offer


def accepts(state: State, config: Config) -> bool:
    purchases, suppliers = state["purchases"], config["suppliers"]
    if sum(each["quantity"] * each["price"] for each in purchases) > config["budget"]:
        return False
    sets = {}
    for part, need in config["needs"].items():
        units = {}
        for each in purchases:
            if each["part"] == part:
                units[each["supplier"]] = units.get(each["supplier"], 0) + each["quantity"]
                if each["arrives"] > need["needed_by"]:
                    return False
        if sum(units.values()) != need["quantity"]:
            return False
        if need["certificate"] and any(
            need["certificate"] not in suppliers[each]["certificates"] for each in units
        ):
            return False
        if need["set"] is not None:
            sets.setdefault(need["set"], set()).update(units)
        elif max(units.values()) * 100 > need["quantity"] * config["share"]:
            return False
    return all(part in config["needs"] for part in {each["part"] for each in purchases}) and all(
        len(names) == 1 for names in sets.values()
    )


def is_fit(terms: PriceList, part: str, need: Need, day: int, forgotten: str) -> bool:
    """Whether a supplier may deliver a part that is bought on a day."""
    certified = not need["certificate"] or need["certificate"] in terms["certificates"]
    in_time = day + terms["lead_days"] <= need["needed_by"]
    return (
        part in terms["goods"]
        and (certified or forgotten == "certificates are not checked")
        and (in_time or forgotten == "dates are not checked")
    )


def reached(good: Good, limit: Limit) -> int:
    """The price to which a supplier has come down when it has refused as many bids as it stands."""
    return max(limit["lowest"], good["price"] - REFUSALS * limit["step"])


def stops(good: Good, limit: Limit) -> bool:
    """Whether a supplier that has refused as many bids has come down by less than before."""
    return good["price"] - REFUSALS * limit["step"] < limit["lowest"]


def ways(need: Need, cap: int, goods: dict[str, Good], lowest: dict[str, int], forgotten: str) -> list[dict]:
    """The ways to buy a part from one or two suppliers, at known prices; the cheapest comes first."""
    wanted, found = need["quantity"], []
    for one, other in product(sorted(goods), repeat=2):
        marks = [cap, *(goods[name][key] for name in (one, other) for key in ("stock", "bulk_from"))]
        for first in sorted({*marks, *(wanted - mark for mark in marks)}):
            units = {one: wanted} if one == other else {one: first, other: wanted - first}
            if all(0 < count <= min(cap, goods[name]["stock"]) for name, count in units.items()):
                prices = {name: lowest[name] - rebate(goods[name], count) for name, count in units.items()}
                if forgotten == "rebates are overlooked":
                    prices = lowest
                found.append(
                    (sum(prices[name] * count for name, count in units.items()), sorted(units.items()))
                )
    return [dict(units) for _, units in sorted(found)]


def groups_of(needs: dict[str, Need]) -> list[list[str]]:
    """The parts that have to be bought together, the most urgent ones first."""
    groups = {}
    for part in sorted(needs):
        groups.setdefault(needs[part]["set"] or part, []).append(part)
    return sorted(groups.values(), key=lambda parts: min(needs[part]["needed_by"] for part in parts))


def choose(
    needs: dict, parts: list[str], share: int, goods: dict, lowest: dict, forgotten: str
) -> dict | None:
    """How many units of each part of a group to buy from whom at the least cost, or None."""
    if needs[parts[0]]["set"] is None or forgotten == "sets are not kept together":
        percent = 100 if forgotten == "one supplier may deliver everything" else share
        found = {
            part: ways(
                needs[part], needs[part]["quantity"] * percent // 100, goods[part], lowest[part], forgotten
            )
            for part in parts
        }
        return {part: found[part][0] for part in parts} if all(found.values()) else None
    wanted = {part: needs[part]["quantity"] for part in parts}
    costs = {}
    for name in sorted(goods[parts[0]]):
        if all(name in goods[part] and goods[part][name]["stock"] >= wanted[part] for part in parts):
            costs[name] = sum(
                wanted[part] * (lowest[part][name] - rebate(goods[part][name], wanted[part]))
                for part in parts
            )
    return {part: {min(costs, key=costs.get): wanted[part]} for part in parts} if costs else None


def plan(config: Config, forgotten: str) -> list[Purchase]:
    """The purchases of somebody who bids low for one group of parts after the other."""
    needs, suppliers, limits = config["needs"], config["suppliers"], config["limits"]
    purchases, day = [], 0
    for parts in groups_of(needs):
        goods, lowest = {}, {}
        for part in parts:
            fit = [name for name in suppliers if is_fit(suppliers[name], part, needs[part], day, forgotten)]
            if forgotten == "low bids go on until the talks end":
                fit = [name for name in fit if stops(suppliers[name]["goods"][part], limits[name][part])]
            goods[part] = {name: suppliers[name]["goods"][part] for name in fit}
            lowest[part] = {name: reached(goods[part][name], limits[name][part]) for name in fit}
            day += (1 + REFUSALS) * len(fit)
        seen = lowest
        if forgotten == "who asks least at first is taken to be cheapest":
            seen = {part: {name: good["price"] for name, good in goods[part].items()} for part in parts}
        chosen = choose(needs, parts, config["share"], goods, seen, forgotten)
        if chosen is None:
            return []
        for part, units in chosen.items():
            for name, count in units.items():
                day += 2
                good = goods[part][name]
                price = good["price"] if forgotten == "nobody negotiates" else lowest[part][name]
                purchases.append(
                    {
                        "supplier": name,
                        "part": part,
                        "quantity": count,
                        "price": price - rebate(good, count),
                        "arrives": day + suppliers[name]["lead_days"],
                    }
                )
    return purchases


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    needs = config["needs"].values()
    names = ["nobody negotiates", "who asks least at first is taken to be cheapest", "rebates are overlooked"]
    names += ["dates are not checked", "low bids go on until the talks end"]
    names += ["one supplier may deliver everything"] if config["share"] < 100 else []
    names += ["certificates are not checked"] if any(need["certificate"] for need in needs) else []
    names += ["sets are not kept together"] if any(need["set"] for need in needs) else []
    return {name: {"state": {"purchases": plan(config, name)}} for name in names}


def solve(tools, budget, last_day, share):
    needs = tools.needs()
    suppliers = {name: tools.price_list(supplier=name) for name in tools.suppliers()}
    today = 0
    for parts in groups_of(needs):
        goods, lowest = {}, {}
        for part in parts:
            fit = [name for name in suppliers if is_fit(suppliers[name], part, needs[part], today, "")]
            goods[part] = {name: suppliers[name]["goods"][part] for name in fit}
        for part in parts:
            lowest[part] = {}
            for name in goods[part]:
                offer = tools.ask(supplier=name, part=part, quantity=1)
                lowest[part][name] = offer["price"]
                # The last bid that a supplier may refuse is not risked; later bids are at known prices.
                for _ in range(REFUSALS):
                    reply = tools.bid(offer=offer["number"], price=(lowest[part][name] + 1) // 2)
                    lowest[part][name], today = reply["price"], reply["today"]
        for part, units in choose(needs, parts, share, goods, lowest, "").items():
            for name, count in units.items():
                offer = tools.ask(supplier=name, part=part, quantity=count)
                price = lowest[part][name] - rebate(goods[part][name], count)
                if price < offer["price"]:
                    today = tools.bid(offer=offer["number"], price=price)["today"]
                tools.commit(offer=offer["number"])


PARTS = "axles bearings brackets cables clamps covers frames gaskets hinges levers panels springs".split()
SUPPLIERS = "Ardent Bolton Crane Dorset Ellis Forge Garnet".split()


def draw_good(random, worth: int, quantity: int, whole: bool) -> tuple[dict, dict]:
    """What a supplier asks and takes: who asks more often comes down to less in the end."""
    margin = random.randint(4, 30)
    price = worth * (100 + margin) // 100
    lowest = worth * (100 - margin // 2 + random.randint(-4, 4)) // 100
    good = {
        "price": price,
        "stock": quantity * random.choice([100, 120, 150] if whole else [45, 60, 80, 120]) // 100,
        "bulk_from": quantity * random.choice([35, 42, 55, 62]) // 100,
        "bulk_rebate": max(1, worth * random.randint(2, 13) // 100),
    }
    return good, {
        "lowest": lowest,
        "step": max(3, (price - lowest) // random.randint(1, 3) - random.randint(0, 2)),
    }


def draw_needs(random, difficulty: int, turn_days: int) -> dict[str, dict]:
    order = random.sample(PARTS, (1, 2, 3, 4, 6)[difficulty - 1])
    sets = (0, 0, 0, 1, 2)[difficulty - 1]
    needs = {}
    for place, part in enumerate(order):
        in_set = place < 2 * sets
        # Parts of a set are needed at the same time, and from the fourth difficulty on the others in turn.
        turn = place + 1 - (in_set and place % 2) + in_set if difficulty > 3 else len(order)
        late = random.random() < 0.25 and not in_set
        needs[part] = {
            "quantity": 20 * random.randint(2, 12),
            "needed_by": 12 + turn * turn_days + late * 3 * len(order) * turn_days,
            "certificate": random.choice([None, "A1", "B7"]) if difficulty > 1 and not in_set else None,
            "set": f"set {place // 2 + 1}" if in_set else None,
        }
    return {part: needs[part] for part in sorted(needs)}


def draw_config(random, difficulty: int) -> Config:
    names = sorted(random.sample(SUPPLIERS, (3, 4, 4, 5, 5)[difficulty - 1]))
    turn_days = (1 + REFUSALS) * len(names) + 6
    needs = draw_needs(random, difficulty, turn_days)
    suppliers, limits = {}, {name: {} for name in names}
    slow = random.choice(names)
    for name in names:
        suppliers[name] = {
            "certificates": random.choice([[], ["A1", "B7"], ["A1", "B7"], ["A1"], ["B7"]]),
            "lead_days": len(needs) * turn_days * 2 if name == slow else random.randint(2, 6),
            "offer_days": random.randint(2, 6),
            "goods": {},
        }
    for part, need in needs.items():
        usual = random.randint(60, 400)
        for name in names:
            if random.random() < 0.94:
                # Slow suppliers and those with few certificates are cheap.
                worth = usual * (90 + 5 * len(suppliers[name]["certificates"]) - 12 * (name == slow)) // 100
                good, limits[name][part] = draw_good(random, worth, need["quantity"], need["set"] is not None)
                suppliers[name]["goods"][part] = good
    share = random.choice([60, 65, 70]) if difficulty > 1 else 100
    return {
        "budget": 0,
        "last_day": 0,
        "share": share,
        "needs": needs,
        "suppliers": suppliers,
        "limits": limits,
    }


def generate(random, difficulty: int) -> Config:
    while True:
        config = draw_config(random, difficulty)
        best = plan(config, "")
        if not best:
            continue
        cost = sum(each["quantity"] * each["price"] for each in best)
        config["budget"] = cost + cost // 80
        days = max(each["arrives"] - config["suppliers"][each["supplier"]]["lead_days"] for each in best)
        config["last_day"] = days + days // 12 + 2
        # There is no time to find out the prices of goods that may not be bought.
        pairs = sum(len(supplier["goods"]) for supplier in config["suppliers"].values())
        if difficulty > 2 and (1 + REFUSALS) * pairs + 2 * len(best) <= config["last_day"]:
            continue
        wrong = [not accepts(each["state"], config) for each in mistakes(config).values()]
        enough = 4 if difficulty == 1 else len(wrong)
        if accepts({"purchases": best}, config) and sum(wrong) >= enough:
            return config
