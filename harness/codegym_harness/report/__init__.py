"""Reports: what happened in one or several runs, as data and as one HTML file."""
