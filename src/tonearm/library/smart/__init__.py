"""A small language to ask for tracks by what is known of them.

    lufs > -9 and tempo_bpm between 120 and 130 and genre = "Techno"
    (artist = "Björk" or artist = "Portishead") and not favorite order by year desc, title limit 50
    added > 30 days ago and format in ("flac", "alac") and title contains "live"

    query      = [ condition ] [ "order by" key { "," key } ] [ "limit" number ]
    condition  = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" condition ")" | flag | comparison
    comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
               | field [ "not" ] "between" value "and" value
               | field [ "not" ] "in" "(" value { "," value } ")"
               | field [ "not" ] "contains" text
    key        = field [ "asc" | "desc" ]
    value      = number | text | date | number ( "hours" | "days" | ... ) "ago"

``tokens``, ``fields``, ``tree`` and ``parser`` do no I/O and know no database; ``compiler`` turns the tree
into conditions whose values are all bound parameters. Case and accents of texts do not count. A track of
which a value is not known meets no comparison of it.
"""
