module profiles

go 1.22
