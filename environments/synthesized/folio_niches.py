"""A library shelves {books} heavy folios in {niches} niches; both are numbered from 0. A niche holds one
folio.

The folios are brought in the order of their numbers, by this rule. A folio goes along the niches from
niche 0 and takes the first one that is tall enough for it and that is either free or occupied by a
smaller folio. A folio that loses its niche in this way is placed again at once, before the next one is
brought: it goes along the niches that come behind the niche that it has lost, by the same rule. A folio
that finds no niche is sent to the cellar.

Answer with a list that has one number for each niche: the number of the folio that is in it at the end,
or -1 if it is free.
"""

META = {
    "title": "Folio niches",
    "tags": ["simulation"],
    "public": ["books", "niches"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem hermit-crabs",
}


class Environment:
    def __init__(self, books: int, niches: int, sizes: list[int], heights: list[int]):
        if books != len(sizes) or niches != len(heights) or min(sizes + heights + [1]) < 1:
            raise ValueError("every folio needs a size and every niche a height, at least 1")
        self.sizes = sizes
        self.heights = heights

    def fits(self, book: int, niche: int) -> bool:
        """Tell whether a niche is tall enough for a folio, whatever stands in it.

        Args:
            book: the number of the folio.
            niche: the number of the niche.
        """
        check_number(book, self.sizes, "folio")
        check_number(niche, self.heights, "niche")
        return self.sizes[book] <= self.heights[niche]

    def is_smaller(self, book: int, other: int) -> bool:
        """Tell whether a folio is strictly smaller than another one.

        Args:
            book: the number of the folio.
            other: the number of the other folio.
        """
        check_number(book, self.sizes, "folio")
        check_number(other, self.sizes, "folio")
        return self.sizes[book] < self.sizes[other]


def check_number(number, items, name):
    if not 0 <= number < len(items):
        raise ValueError(f"there is no {name} with this number, only 0 to {len(items) - 1}")


def shelve(sizes, heights, displaces):
    owners = [-1] * len(heights)
    for brought in range(len(sizes)):
        book = brought
        for niche in range(len(heights)):
            if sizes[book] > heights[niche]:
                continue
            owner = owners[niche]
            if owner < 0:
                owners[niche] = book
                break
            if displaces and sizes[owner] < sizes[book]:
                owners[niche] = book
                book = owner
    return owners


def reference(books: int, niches: int, sizes: list[int], heights: list[int]) -> list[int]:
    return shelve(sizes, heights, True)


def mistakes(books: int, niches: int, sizes: list[int], heights: list[int]) -> dict[str, list[int]]:
    return {"never displaces": shelve(sizes, heights, False)}


def generate(random, difficulty):
    books = [5, 6, 8, 11, 14][difficulty - 1]
    niches = [4, 6, 8, 10, 13][difficulty - 1]
    while True:
        config = {
            "books": books,
            "niches": niches,
            "sizes": [random.randint(20, 48) for book in range(books)],
            "heights": [random.randint(26, 50) for niche in range(niches)],
        }
        right = reference(**config)
        if len(set(right)) > 2 and right not in mistakes(**config).values():
            return config


def solve(tools, books, niches):
    known = {}
    smaller = {}

    def fits(book, niche):
        if (book, niche) not in known:
            known[(book, niche)] = tools.fits(book=book, niche=niche)
        return known[(book, niche)]

    def is_smaller(book, other):
        if (book, other) not in smaller:
            smaller[(book, other)] = tools.is_smaller(book=book, other=other)
        return smaller[(book, other)]

    shelf = [-1] * niches
    for book in range(books):
        moving, start = book, 0
        while moving != -1:
            lost = -1
            for niche in range(start, niches):
                if not fits(moving, niche):
                    continue
                if shelf[niche] == -1 or is_smaller(shelf[niche], moving):
                    lost, shelf[niche] = shelf[niche], moving
                    start = niche + 1
                    break
            moving = lost
    return shelf
