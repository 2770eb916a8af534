# Statistics, by what R has for it.

library(snakepit)

weather <- NULL
on_start(function() weather <<- read.csv(Sys.getenv("WEATHER")))

command("rain_by_kind", function(year) {
  days <- weather[startsWith(weather$date, as.character(year)), ]
  aggregate(precipitation ~ weather, days, function(mm) round(sum(mm), 1))
})

command("model", function() {
  fit <- lm(temp_max ~ temp_min + precipitation + wind, weather)
  list(coefficients = round(coef(fit), 3), r_squared = round(summary(fit)$r.squared, 3))
})

stream("quantiles", function(column, emit) {
  for (part in c(0.1, 0.5, 0.9)) emit(unname(quantile(weather[[column]], part)))
})
